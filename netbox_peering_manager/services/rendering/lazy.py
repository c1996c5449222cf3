class LazyPeering: pass
