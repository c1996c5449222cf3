-- The first page of networks on our LANs that no BGP peer names as its remote AS, ranked.
-- Sessions are known by remote AS alone; no permissions, no hidden peers: less than the page has to know.
SELECT row_to_json(shown) FROM (
    SELECT net.asn, net.name, net.policy_general, net.info_traffic, net.info_scope, net.info_ratio,
           met.exchanges, COALESCE(net.info_prefixes4, 0) + COALESCE(net.info_prefixes6, 0) AS prefixes,
           COUNT(*) OVER () AS total
    FROM (
        SELECT port.net_id, COUNT(DISTINCT port.ix_id) AS exchanges
        FROM netbox_peering_manager_peeringdbnetixlan port
        JOIN netbox_peering_manager_peeringnetwork lan ON lan.peeringdb_id = port.ixlan_id
        WHERE port.operational AND port.asn <> %(asn)s
        AND port.asn NOT IN (
            SELECT asn.asn FROM netbox_routing_bgppeer peer JOIN ipam_asn asn ON asn.id = peer.remote_as_id
        )
        GROUP BY port.net_id
    ) met
    JOIN netbox_peering_manager_peeringdbnet net ON net.id = met.net_id
    ORDER BY met.exchanges DESC, prefixes DESC, net.asn
    LIMIT %(size)s
) shown
