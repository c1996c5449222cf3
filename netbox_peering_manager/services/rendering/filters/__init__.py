"""
The Jinja filters that configuration templates of BGP peering need, in every template that NetBox renders.

Pure: nothing here imports Django or a model. They work on the plain values of `context.py`; most filters also take
NetBox's objects, by their text. The filters of the netbox-peering-manager 0.4.0 plugin keep their names, signatures
and outputs. None shadows a filter that Jinja brings along, so `indent`, `unique` and the like stay Jinja's.

A filter that cannot do what it is asked raises FilterArgumentError, which names the filter and the value, and
the rendering fails: half a configuration is worse than none. What needs a whole route map to decide stands in
`policies.py`, how a platform writes a password or an AS-path pattern in `platforms.py`.
"""

from .addresses import integer, ip, ip_network, ip_version, mac, prefix_range, wildcard
from .bgp import (
    absent_from,
    as_path_regex,
    families,
    is_large,
    junos_range,
    large_communities,
    max_prefix,
    router_asn,
    standard_communities,
    to_community_list,
    to_prefix_set,
)
from .objects import group_by, has_not_tag, has_tag, required, sort_by, unsupported
from .platforms import as_path_pattern, secret
from .policies import community_sets, policy_terms
from .text import as_json, as_yaml, identifier, quote, safe_string, word

__all__ = ("FILTERS",)

FILTERS = {
    function.__name__: function
    for function in (
        absent_from,
        as_json,
        as_path_pattern,
        as_path_regex,
        as_yaml,
        community_sets,
        families,
        group_by,
        has_not_tag,
        has_tag,
        identifier,
        integer,
        ip,
        ip_network,
        ip_version,
        is_large,
        junos_range,
        large_communities,
        mac,
        max_prefix,
        policy_terms,
        prefix_range,
        quote,
        required,
        router_asn,
        safe_string,
        secret,
        sort_by,
        standard_communities,
        to_community_list,
        to_prefix_set,
        unsupported,
        wildcard,
        word,
    )
}
