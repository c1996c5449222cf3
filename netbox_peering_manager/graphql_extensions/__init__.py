"""What the plugin adds to GraphQL types of NetBox. Loaded early: nothing of NetBox's GraphQL is imported here."""

type_extensions: tuple = ()
