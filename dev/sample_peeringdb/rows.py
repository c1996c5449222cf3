"""
One row of each PeeringDB type. Every function takes what tells the row apart and returns all of its fields; what is
not said gets PeeringDB's default. `stamp` is (created, updated), both as PeeringDB writes them.
"""

STAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def _tail(stamp, status="ok"):
    return {"created": stamp[0], "updated": stamp[1], "status": status}


def org(pk, name, place, stamp, **more):
    return {
        "id": pk,
        "name": name,
        "aka": "",
        "name_long": "",
        "website": f"https://org{pk}.example.org",
        "social_media": [],
        "notes": "",
        "logo": None,
        "address1": "",
        "address2": "",
        "city": place.city,
        "country": place.country,
        "state": "",
        "zipcode": "",
        "floor": "",
        "suite": "",
        "latitude": None,
        "longitude": None,
        **_tail(stamp),
        **more,
    }


def campus(pk, of_org, name, place, stamp, **more):
    return {
        "id": pk,
        "org_id": of_org["id"],
        "org_name": of_org["name"],
        **_tail(stamp),
        "name": name,
        "name_long": None,
        "notes": "",
        "aka": None,
        "website": f"https://campus{pk}.example.org",
        "social_media": [],
        "country": place.country,
        "city": place.city,
        "zipcode": "",
        "state": "",
        "logo": None,
        **more,
    }


def fac(pk, of_org, name, place, stamp, **more):
    return {
        "id": pk,
        "org_id": of_org["id"],
        "org_name": of_org["name"],
        "campus_id": None,
        "name": name,
        "aka": "",
        "name_long": "",
        "website": f"https://fac{pk}.example.org",
        "social_media": [],
        "clli": "",
        "rencode": "",
        "npanxx": "",
        "notes": "",
        "net_count": 0,
        "ix_count": 0,
        "carrier_count": 0,
        "sales_email": f"sales@fac{pk}.example.org",
        "sales_phone": "",
        "tech_email": f"noc@fac{pk}.example.org",
        "tech_phone": "",
        "available_voltage_services": None,
        "diverse_serving_substations": None,
        "property": None,
        "region_continent": place.region,
        "status_dashboard": None,
        "logo": None,
        **_tail(stamp),
        "address1": f"{pk} Example Street",
        "address2": "",
        "city": place.city,
        "country": place.country,
        "state": "",
        "zipcode": "",
        "floor": "",
        "suite": "",
        "latitude": place.latitude,
        "longitude": place.longitude,
        **more,
    }


def carrier(pk, of_org, name, stamp, **more):
    return {
        "id": pk,
        "org_id": of_org["id"],
        "org_name": of_org["name"],
        "name": name,
        "aka": "",
        "name_long": "",
        "website": f"https://carrier{pk}.example.org",
        "social_media": [],
        "notes": "",
        "fac_count": 0,
        "logo": None,
        **_tail(stamp),
        **more,
    }


def carrierfac(pk, of_carrier, of_fac, stamp):
    return {
        "id": pk,
        "name": of_fac["name"],
        "carrier_id": of_carrier["id"],
        "fac_id": of_fac["id"],
        **_tail(stamp),
    }


def net(pk, org_id, asn, name, stamp, **more):
    return {
        "id": pk,
        "org_id": org_id,
        "name": name,
        "aka": "",
        "name_long": "",
        "website": f"https://as{asn}.example.net",
        "social_media": [],
        "asn": asn,
        "looking_glass": "",
        "route_server": "",
        "irr_as_set": "",
        "info_type": None,
        "info_types": [],
        "info_prefixes4": None,
        "info_prefixes6": None,
        "info_traffic": "",
        "info_ratio": "",
        "info_scope": "",
        "info_unicast": True,
        "info_multicast": False,
        "info_ipv6": True,
        "info_never_via_route_servers": False,
        "ix_count": 0,
        "fac_count": 0,
        "notes": "",
        "netixlan_updated": None,
        "netfac_updated": None,
        "poc_updated": None,
        "policy_url": "",
        "policy_general": "Open",
        "policy_locations": "Not Required",
        "policy_ratio": False,
        "policy_contracts": "Not Required",
        "allow_ixp_update": False,
        "ixp_update_exclude": {},
        "status_dashboard": None,
        "rir_status": "ok",
        "rir_status_updated": stamp[0],
        "logo": None,
        **_tail(stamp),
        **more,
    }


def ix(pk, org_id, name, place, stamp, **more):
    return {
        "id": pk,
        "org_id": org_id,
        "name": name,
        "aka": "",
        "name_long": "",
        "city": place.city,
        "country": place.country,
        "region_continent": place.region,
        "media": "Ethernet",
        "notes": "",
        "proto_unicast": True,
        "proto_multicast": False,
        "proto_ipv6": True,
        "website": f"https://ix{pk}.example.org",
        "social_media": [],
        "url_stats": f"https://ix{pk}.example.org/statistics",
        "tech_email": f"noc@ix{pk}.example.org",
        "tech_phone": "",
        "policy_email": f"peering@ix{pk}.example.org",
        "policy_phone": "",
        "sales_phone": "",
        "sales_email": "",
        "ixf_ixp_member_list_url": None,
        "net_count": 0,
        "fac_count": 0,
        "ixf_net_count": 0,
        "ixf_last_import": None,
        "ixf_import_request": None,
        "ixf_import_request_status": "",
        "service_level": "",
        "terms": "",
        "status_dashboard": None,
        "logo": None,
        **_tail(stamp),
        **more,
    }


def ixfac(pk, of_ix, of_fac, stamp):
    return {
        "id": pk,
        "name": of_fac["name"],
        "city": of_fac["city"],
        "country": of_fac["country"],
        "ix_id": of_ix["id"],
        "fac_id": of_fac["id"],
        **_tail(stamp),
    }


def ixlan(pk, ix_id, stamp, **more):
    return {
        "id": pk,
        "ix_id": ix_id,
        "name": "",
        "descr": "",
        "mtu": 1500,
        "dot1q_support": False,
        "rs_asn": None,
        "arp_sponge": None,
        "ixf_ixp_member_list_url": None,
        "ixf_ixp_member_list_url_visible": "Private",
        "ixf_ixp_import_enabled": False,
        **_tail(stamp),
        **more,
    }


def ixpfx(pk, ixlan_id, prefix, stamp):
    return {
        "id": pk,
        "ixlan_id": ixlan_id,
        "protocol": "IPv6" if ":" in prefix else "IPv4",
        "prefix": prefix,
        "in_dfz": False,
        **_tail(stamp),
    }


def netfac(pk, of_net, of_fac, stamp):
    return {
        "id": pk,
        "name": of_fac["name"],
        "city": of_fac["city"],
        "country": of_fac["country"],
        "net_id": of_net["id"],
        "fac_id": of_fac["id"],
        "local_asn": of_net["asn"],
        **_tail(stamp),
    }


def netixlan(pk, of_net, of_ixlan, ix_name, ipaddr4, ipaddr6, stamp, **more):
    return {
        "id": pk,
        "net_id": of_net["id"],
        "ix_id": of_ixlan["ix_id"],
        "name": f"{ix_name}: {of_ixlan['name']}" if of_ixlan["name"] else ix_name,
        "ixlan_id": of_ixlan["id"],
        "notes": "",
        "speed": 10000,
        "asn": of_net["asn"],
        "ipaddr4": ipaddr4,
        "ipaddr6": ipaddr6,
        "is_rs_peer": True,
        "bfd_support": False,
        "operational": True,
        "net_side_id": None,
        "ix_side_id": None,
        **_tail(stamp),
        **more,
    }


def poc(pk, of_net, role, name, stamp, **more):
    return {
        "id": pk,
        "net_id": of_net["id"],
        "role": role,
        "visible": "Public",
        "name": name,
        "phone": "",
        "email": f"{role.lower().replace(' ', '-')}@as{of_net['asn']}.example.net",
        "url": "",
        **_tail(stamp),
        **more,
    }
