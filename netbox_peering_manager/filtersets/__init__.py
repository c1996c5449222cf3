from .fabrics import *
from .peeringdb import *
from .peers import *
from .peers_candidates import *
from .peers_hidden import *
from .routers import *
from .sessions import *
from .unknown_neighbors import *
