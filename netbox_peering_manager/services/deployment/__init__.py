"""From a rendered configuration to a confirmed commit: what is sent to routers, and what is known of it afterwards."""
