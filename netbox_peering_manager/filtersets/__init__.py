from .fabrics import *
from .peers import *
from .routers import *
from .sessions import *
