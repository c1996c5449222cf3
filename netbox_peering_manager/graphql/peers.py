schema = ()
