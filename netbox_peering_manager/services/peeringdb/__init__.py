"""From PeeringDB to NetBox: client → records → mirror → apply. Import from the modules."""
