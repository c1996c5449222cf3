from .fabrics import *
from .fabrics_peeringdb import *
from .peeringdb import *
from .peeringdb_drift import *
from .peers import *
from .peers_hidden import *
from .routers import *
from .sessions import *
