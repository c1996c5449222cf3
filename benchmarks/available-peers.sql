-- The first page of a fabric's ports that lack a session, by AS number, with what their networks say of themselves.
-- One LAN, no permissions, no hidden peers, no other exchanges: less than the page has to know.
SELECT row_to_json(shown) FROM (
    SELECT port.asn, net.name, net.policy_general, net.info_traffic, net.info_scope, net.info_prefixes4,
           net.info_prefixes6, net.irr_as_set, port.speed, port.is_rs_peer, host(port.ipaddr4) AS ipv4,
           host(port.ipaddr6) AS ipv6, COUNT(*) OVER () AS total,
           EXISTS (SELECT FROM netbox_peering_manager_peeringdbpoc poc WHERE poc.net_id = net.id) AS contact
    FROM netbox_peering_manager_peeringdbnetixlan port
    LEFT JOIN netbox_peering_manager_peeringdbnet net ON net.id = port.net_id
    WHERE port.operational AND port.asn <> %(asn)s
    AND port.ixlan_id = (
        SELECT peeringdb_id FROM netbox_peering_manager_peeringnetwork WHERE fabric_id = %(fabric)s ORDER BY id LIMIT 1
    )
    AND EXISTS (
        SELECT FROM netbox_peering_manager_peeringconnection ours
        JOIN netbox_peering_manager_peeringnetwork lan ON lan.id = ours.peering_network_id
        WHERE lan.peeringdb_id = port.ixlan_id AND NOT EXISTS (
            SELECT FROM netbox_routing_bgppeer peer
            JOIN ipam_ipaddress remote ON remote.id = peer.peer_id
            WHERE peer.scope_id = ours.bgp_scope_id AND host(remote.address)::inet = port.ipaddr4
        )
    )
    ORDER BY port.asn, port.id
    LIMIT %(size)s
) shown
