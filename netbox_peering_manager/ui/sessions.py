template_extensions = ()
