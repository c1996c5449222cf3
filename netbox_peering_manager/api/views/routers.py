__all__ = ()
routes = ()
