"""No secret that stands in a configuration, a difference or a message survives; what stands beside it does."""

import itertools
import json
import random
import string

import pytest
from django.test import SimpleTestCase

from netbox_peering_manager.services.devices.masking import MASK, masked, secrets_of
from netbox_peering_manager.services.rendering.filters.platforms import SECRET_RULES, secret

# With "§" where the secret stands. Every platform's way to write one.
LINES = {
    "frr": (
        " neighbor 192.0.2.1 password §",
        " neighbor 2001:db8::1 password §",
        "  neighbor MEMBERS password §",
        "enable password §",
        "  key-string §",
        " ip ospf authentication-key §",
        " ip ospf message-digest-key 1 md5 §",
        " isis password clear §",
        " area-password md5 §",
        "password 8 §",
    ),
    "iosxe": (
        " neighbor 192.0.2.1 password 7 §",
        " neighbor 192.0.2.1 password §",
        "username alice privilege 15 secret 9 §",
        "username alice password 0 §",
        "enable secret 5 §",
        "tacacs-server host 192.0.2.9 key 7 §",
        " key 7 §",
        " server-private 192.0.2.9 key 7 §",
        "radius-server key 7 §",
        "crypto isakmp key § address 192.0.2.1",
        " ppp chap password 7 §",
        "ntp authentication-key 1 md5 § 7",
        "snmp-server community § RO",
        "snmp-server host 192.0.2.9 version 2c §",
        "snmp-server host 192.0.2.9 §",
        "snmp-server user alice group v3 auth sha § priv aes 128 other",
        " pre-shared-key §",
    ),
    "eos": (
        "   neighbor 192.0.2.1 password 7 §",
        "   neighbor MEMBERS password 8a §",
        "username alice privilege 15 role network-admin secret sha512 §",
        "snmp-server community § ro",
        "tacacs-server key 7 §",
    ),
    "nxos": (
        "    password 3 §",
        "    password 0 §",
        "username alice password 5 §  role network-admin",
        "snmp-server user alice network-admin auth md5 § priv 0xabcdef localizedkey",
        "snmp-server community § group network-operator",
    ),
    "iosxr": (
        "  password encrypted §",
        "  password clear §",
        " secret 10 §",
        "  key-string password §",
        " snmp-server community § RO SystemOwner",
    ),
    "junos": (
        '                authentication-key "§"; ## SECRET-DATA',
        "                authentication-key §;",
        'set protocols bgp group members neighbor 192.0.2.1 authentication-key "§"',
        "set protocols bgp group members neighbor 192.0.2.1 authentication-key §",
        'set system login user alice authentication encrypted-password "§"',
        '    pre-shared-key ascii-text "§"; ## SECRET-DATA',
        'set system radius-server 192.0.2.9 secret "§"',
        'secret "§"; ## SECRET-DATA',
        "set snmp community § authorization read-only",
    ),
    "sros": (
        '/configure router "Base" bgp neighbor "192.0.2.1" authentication-key §',
        'authentication-key "§" hash2',
        'password "§"',
        'snmp community "§" hash2',
    ),
    "routeros": (
        "/routing bgp connection add name=member remote.address=192.0.2.1 tcp-md5-key=§ disabled=no",
        'tcp-md5-key="§"',
        "/user add name=alice password=§ group=full",
        "/snmp community add addresses=192.0.2.0/24 name=§",
        "/ppp secret add name=alice password=§",
    ),
    "vrp": (
        " peer 192.0.2.1 password cipher §",
        " peer 192.0.2.1 password simple §",
        " local-user alice password irreversible-cipher §",
        " snmp-agent community read cipher §",
        " authentication-mode md5 1 cipher §",
    ),
    "bird": ('  password "§";', '  password "§" { id 1; };', "  authentication md5; password '§';"),
    "openbgpd": ('    tcp md5sig password "§"', "    tcp md5sig key §", "    tcp md5sig password §"),
    "vyos": (
        "set protocols bgp neighbor 192.0.2.1 password '§'",
        "set protocols bgp neighbor 192.0.2.1 password §",
        "set system login user alice authentication plaintext-password '§'",
        "                password §",
        "                encrypted-password §",
        "set service snmp community § authorization ro",
        "set protocols rpki cache 192.0.2.1 ssh private-key '§'",
    ),
    "structures": (
        '{"password": "§", "remote_as": 64496}',
        "{'authentication_key': '§', 'remote_as': 64496}",
        "<password>§</password>",
        "<bgp:password>§</bgp:password>",
        "<authentication-key>§</authentication-key>",
        "password: §",
    ),
}
# What one-time commands and rarer features have; "§" as above. Here more may be masked than the secret.
ANYWHERE = (
    "tcp md5 key §",
    " md5 password §",
    "bfd authentication keyed-sha1 key-id 1 key §",
    " neighbor 192.0.2.1 tcp-ao key §",
    " neighbor 192.0.2.1 tcp-ao key 5 §",
    " neighbor 192.0.2.1 ao-password §",
    " neighbor 192.0.2.1 ttl 1 password §",
    "keychain k key 1 secret §",
    "key 1 secret §",
    "ip ftp password §",
    "ip http client password 0 §",
    "dot1x password §",
    "standby 1 authentication §",
    "standby 1 authentication text §",
    "standby 1 authentication md5 key-string §",
    "vrrp 1 authentication md5 key-string §",
    "pre-shared-secret §",
    'pre-shared-secret ascii-text "§"',
    "cak §",
    '  cak "§";',
    "mka pre-shared-key ckn 01 cak §",
    "auth-pass §",
    "bind-password §",
    "ldap bind-secret §",
    "api-token §",
    "router-key §",
    "rpki cache key §",
    "bmp server 1 password 7 §",
    "  ssid guests passphrase §",
    "wpa-psk ascii 0 §",
    "crypto pki password §",
    "line vty password §",
    "enable algorithm-type sha256 secret §",
    "isis authentication key §",
    "username alice secret-hash §",
    "key config-key password-encrypt §",
    "crypto key export rsa OURS pem terminal 3des §",
    "crypto pki import OURS pkcs12 flash:ours §",
    "set protocols bfd peer 192.0.2.1 token '§'",
    "  secret: §",
    "api_key: §",
    'apiKey: "§"',
    '"authPass": "§"',
    '"auth_pass": "§"',
    "auth_pass = §",
    "TOKEN=§",
    "export PASSWORD=§",
    "copy scp://alice:§@192.0.2.9/new flash:",
    "copy ftp://alice:§@192.0.2.9/new flash:",
    "copy http://alice:§@192.0.2.9:8080/new flash:",
    "copy https://§@repository.example/new flash:",
    "copy running-config scp://alice:§@[2001:db8::9]/old",
    " path sftp://alice:§@192.0.2.9//old",
    "scp alice:§@192.0.2.9 new",
    'echo "§" | passwd --stdin root',
    "echo § | passwd root --stdin",
    "echo 'root:§' | chpasswd",
    "printf '%s' § | sudo -S reload",
    'chpasswd <<< "root:§"',
    "sshpass -p § ssh alice@192.0.2.9",
    "curl -u alice:§ https://192.0.2.9/",
    'curl -H "Authorization: Bearer §" https://192.0.2.9/',
    "tool --password § --user alice",
    "tool --password=§",
)
# Signs of differences and of those who quote a line.
AROUND = ("§", "+ §", "-§", "+§", "- §", "    §", "! §", "> §")
QUOTES = (
    "% Invalid input: §",
    "edge1: FRR refused the configuration; the router is as it was before:\nline 4: Failure: §",
    "§\n      ^\nsyntax error",
)
# What stays, to the letter.
PLAIN = (
    "router bgp 64500",
    " neighbor 192.0.2.1 remote-as 64496",
    " neighbor 192.0.2.1 description Keys and passwords Ltd",
    " key chain MEMBERS",
    " key 1",
    "route-map IN permit 10",
    " set community 64500:100 additive",
    "        then community add CUSTOMERS;",
    "    community CUSTOMERS members 64500:100;",
    "bgp community-list standard CUSTOMERS permit 64500:100",
    "set policy-options community CUSTOMERS members 64500:100",
    "ip ssh pubkey-chain",
    "login of peering is refused: Check user, password and key.",
    "The connection to 192.0.2.1 is gone.",
    "edge1 refuses the login of root: Authentication failed. Check user, password and key",
    "service password-encryption",
    " description key of the door, password none",
    "router bgp 64500\ndescription secret garden key X",
    " remark secret garden",
    "key chain MEMBERS",
    " neighbor 192.0.2.1 ao key-chain MEMBERS",
    " ip ospf authentication key-chain MEMBERS",
    " ip ospf authentication message-digest",
    "crypto key generate rsa modulus 4096",
    "crypto key zeroize rsa",
    " standby 1 authentication md5 key-chain MEMBERS",
    "ntp trusted-key 1",
    "copy scp://alice@192.0.2.9/new flash:",
    "copy https://192.0.2.9:8080/new flash:",
    "route-target export 64500:100",
    "The password is wrong, and the key is missing.",
    " no neighbor 192.0.2.1 shutdown",
    "/routing bgp connection add name=member remote.address=192.0.2.1 as=64500",
    "[edit protocols bgp group members]",
    "192.0.2.1 showed the host key ssh-ed25519 SHA256:AAAA, and known_hosts has none for it.",
)


def passwords():
    """Random ones of letters and digits, as they are generated and as people choose them; always the same."""
    chance = random.Random(64500)
    alphabet = string.ascii_letters + string.digits
    for length in (4, 8, 16, 24, 40):
        yield "Z" + "".join(chance.choice(alphabet) for _ in range(length - 1))
    yield from (
        "Tr0ub4dor-and-3",
        "094F471A1A0A",
        "$9$abcDEF123-/x",
        "$6$salt$hash./AB",
        "a.b+c*d[e]f(g)h|i^j$k",
    )


@pytest.mark.parametrize("platform", LINES)
def test_what_a_line_shows_to_be_secret_is_masked_and_nothing_else(platform):
    for line, around, password in itertools.product(LINES[platform], AROUND, passwords()):
        written = around.replace("§", line)
        text = written.replace("§", password)
        got = masked(text)
        assert password not in got, text
        expected = written.replace("§", MASK).replace("other", MASK).replace("0xabcdef", MASK)
        assert got == expected, text


@pytest.mark.parametrize("platform", LINES)
def test_quoted_lines_of_messages_are_masked(platform):
    for line, quote, password in itertools.product(LINES[platform], QUOTES, passwords()):
        if (
            line.startswith(("  password", "password", " secret", " key", "    password"))
            and quote == QUOTES[0]
        ):
            # "password X" behind other words is prose, unless a type or quotes say otherwise; below.
            continue
        text = quote.replace("§", line).replace("§", password)
        assert password not in masked(text), text


@pytest.mark.parametrize("line", ANYWHERE)
def test_what_a_word_announces_is_masked_in_any_notation(line):
    for around, password in itertools.product((*AROUND, *QUOTES), passwords()):
        if password.startswith("a.b") and ("|" in line or "pkcs12" in line):
            # For a shell there would be quotation marks around it.
            continue
        text = around.replace("§", line).replace("§", password)
        got = masked(text)
        assert password not in got, text
        assert MASK in got, text
        assert got.count("\n") == text.count("\n")
        assert masked(got) == got, text


@pytest.mark.parametrize("line", PLAIN)
def test_lines_without_a_secret_stay_as_they_are(line):
    for around in AROUND:
        assert masked(around.replace("§", line)) == around.replace("§", line)


@pytest.mark.parametrize("platform", SECRET_RULES)
def test_whatever_the_templates_can_write_as_a_password_is_masked(platform):
    chance = random.Random(7)
    begin = {
        "frr": " neighbor 192.0.2.1 password {}",
        "bird": "  password {};",
        "openbgpd": "    tcp md5sig password {}",
        "vyos": "set protocols bgp neighbor 192.0.2.1 password {}",
        "iosxe": " neighbor 192.0.2.1 password 0 {}",
        "iosxr": "  password clear {}",
        "eos": "   neighbor 192.0.2.1 password 0 {}",
        "nxos": "    password 0 {}",
        "junos": "    authentication-key {};",
        "sros": "/configure router bgp neighbor authentication-key {}",
        "routeros": "/routing bgp connection add name=a tcp-md5-key={} disabled=no",
    }[platform]
    refused = SECRET_RULES[platform].refused
    allowed = [chr(code) for code in range(32, 127) if chr(code) not in refused]
    for _ in range(2000):
        password = "Q" + "".join(chance.choice(allowed) for _ in range(chance.randint(3, 30)))
        written = secret(password, platform)
        line = begin.format(written)
        got = masked(f"{line}\nnext line 1")
        assert written not in got, line
        # No six characters of it in a row, unless the line has them anyway.
        rest = begin.replace("{}", "") + MASK
        inner = written.strip("\"'")
        kept = {inner[i : i + 6] for i in range(max(0, len(inner) - 5))}
        assert not [part for part in kept if part in got and part not in rest], (line, got)
        assert got.endswith("\nnext line 1")


def test_known_values_are_masked_wherever_and_however_they_are_spelt():
    chance = random.Random(9)
    printable = [chr(code) for code in range(33, 127)] + ["é", "ß"]
    for _ in range(300):
        value = "W" + "".join(chance.choice(printable) for _ in range(chance.randint(5, 20)))
        spelt = {
            value,
            repr(value),
            json.dumps(value),
            json.dumps({"x": value}),
            repr({"x": [value, "it's"]}),
            repr(json.dumps(value)),
            repr(f"\"'{value}"),
            *(
                secret(value, platform)
                for platform, rule in SECRET_RULES.items()
                if value.isascii() and not set(rule.refused) & set(value)
            ),
        }
        for text in spelt:
            got = masked(f"before {text} after", [value])
            assert value not in got
            assert got.startswith("before ")
            assert got.endswith(" after")
            assert MASK in got, (value, text, got)


class KnownValuesTest(SimpleTestCase):
    def test_longest_is_masked_first(self):
        self.assertEqual(
            masked("x hunter2hunter2 y hunter2", ["hunter2", "hunter2hunter2"]), f"x {MASK} y {MASK}"
        )

    def test_short_ones_are_masked_as_words_only(self):
        self.assertEqual(masked("a banana: a", ["a"]), f"{MASK} banana: {MASK}")

    def test_empty_values_and_the_mask_itself_change_nothing(self):
        self.assertEqual(masked("some text **", ["", " ", "**"]), "some text **")

    def test_each_line_of_a_key_is_masked_by_itself(self):
        key = "-----BEGIN KEY-----\nabcdefgh12345678\nzyxwvuts87654321\n-----END KEY-----"
        got = masked("could not read abcdefgh12345678 nor zyxwvuts87654321", [key])
        self.assertEqual(got, f"could not read {MASK} nor {MASK}")

    def test_private_keys_are_known_by_their_look(self):
        text = (
            "x\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAsecret\nBBBB\n-----END OPENSSH PRIVATE KEY-----\ny"
        )
        got = masked(text)
        self.assertNotIn("AAAAsecret", got)
        self.assertEqual(len(got.splitlines()), len(text.splitlines()))
        self.assertTrue(got.startswith("x\n-----BEGIN") and got.endswith("-----\ny"))
        self.assertNotIn("AAAA", masked("-----BEGIN RSA PRIVATE KEY-----\nAAAA cut"))

    def test_masking_twice_is_masking_once(self):
        for lines in LINES.values():
            for line in lines:
                once = masked(line.replace("§", "Zx81Spectrum"))
                self.assertEqual(masked(once), once)

    def test_number_of_lines_is_kept(self):
        text = "\n".join(line.replace("§", "Zx81Spectrum") for lines in LINES.values() for line in lines)
        self.assertEqual(len(masked(text).split("\n")), len(text.split("\n")))
        self.assertNotIn("Spectrum", masked(text))

    def test_communities_are_secret_in_snmp_only(self):
        text = (
            "snmp {\n    location here;\n    community Spectrum {\n        authorization read-only;\n    }\n}\n"
            "policy-options {\n    community MEMBERS members 64500:1;\n}"
        )
        self.assertEqual(masked(text), text.replace("Spectrum", MASK))
        diff = "[edit snmp]\n-  community Spectrum;\n[edit policy-options]\n+  community MEMBERS members 64500:1;"
        self.assertEqual(masked(diff), diff.replace("Spectrum", MASK))

    def test_quoted_line_of_a_password_alone_is_told_by_its_type(self):
        for line in (
            "password 0 Spectrum",
            "password clear Spectrum",
            'password "Spectrum"',
            "key 7 Spectrum",
        ):
            self.assertNotIn("Spectrum", masked(f"% Invalid input: {line}"))

    def test_secrets_of_a_configuration_are_known_afterwards(self):
        text = ' neighbor 192.0.2.1 password Spectrum81\n authentication-key "a\\"bcd";\n description x'
        self.assertEqual(set(secrets_of(text)), {"Spectrum81", 'a"bcd'})
        self.assertEqual(
            masked("the password (Spectrum81) is too short", secrets_of(text)),
            masked(f"the password ({MASK}) is too short"),
        )
        self.assertEqual(secrets_of(masked(text)), ())
