"""The estate as a test in Python uses it, with the standard library only.

    python3 estate_test.py PATH/homing-estate
"""

import hashlib
import json
import re
import socket
import ssl
import subprocess
import sys
import unittest

PROGRAM = "homing-estate"


class Estate:
    """A whole estate: servers, name server, certificates, users. It ends with this object."""

    def __init__(self, *users):
        command = [PROGRAM, "quick", *users]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.is_at = json.loads(self.process.stdout.readline())

    def ask(self, **command):
        """One command to the control socket, and its answer."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.is_at["control"])
            control.sendall(json.dumps(command).encode() + b"\n")
            return json.loads(control.makefile().readline())

    def server(self, name):
        return next(one for one in self.is_at["servers"] if one["server"] == name)

    def password(self, name):
        user = next(one for one in self.is_at["users"] if one["user"] == name)
        with open(user["password_file"]) as file:
            return file.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class Phone:
    """As much of a phone as a REGISTER by TCP needs."""

    def __init__(self, server, user):
        host, port = server["listens"]["tcp"].rsplit(":", 1)
        self.connection = socket.create_connection((host, int(port)), timeout=10)
        self.user, self.count = user, 0

    def send(self, method, *headers):
        self.count += 1
        lines = [
            f"{method} sip:network.com SIP/2.0",
            f"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{id(self)}{self.count}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@network.com>;tag=1",
            f"To: <sip:{self.user}@network.com>",
            f"Call-ID: {id(self)}@127.0.0.1",
            f"CSeq: {self.count} {method}",
            f"Contact: <sip:{self.user}@127.0.0.1:5060;transport=tcp>",
            *headers,
            "Content-Length: 0",
        ]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.connection.recv(4096)
        head, body = answer.decode().split("\r\n\r\n", 1)
        length = int(re.search(r"(?im)^Content-Length: (\d+)", head)[1])
        while len(body) < length:
            body += self.connection.recv(4096).decode()
        return head, body

    def register(self, password):
        """The final answer to a REGISTER, with Digest (MD5) where it is asked for."""
        head, body = self.send("REGISTER")
        nonce = re.search(r'(?i)algorithm=MD5\b.*?nonce="([^"]+)"|nonce="([^"]+)".*?algorithm=MD5\b', head)
        if not nonce:
            return head, body
        nonce = nonce[1] or nonce[2]

        def md5(*parts):
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        secret = md5(self.user, "network.com", password)
        response = md5(secret, nonce, "00000001", "c", "auth", md5("REGISTER", "sip:network.com"))
        return self.send(
            "REGISTER",
            f'Authorization: Digest username="{self.user}", realm="network.com", nonce="{nonce}", '
            f'uri="sip:network.com", response="{response}", algorithm=MD5, cnonce="c", nc=00000001, qop=auth',
        )

    def close(self):
        self.connection.close()


class EstateTest(unittest.TestCase):
    def setUp(self):
        self.estate = Estate("alice", "bob")
        self.addCleanup(self.estate.close)

    def phone(self, user, server="hs102"):
        phone = Phone(self.estate.server(server), user)
        self.addCleanup(phone.close)
        return phone

    def test_a_phone_signs_in_and_the_estate_says_so(self):
        head, _ = self.phone("alice").register(self.estate.password("alice"))
        self.assertTrue(head.startswith("SIP/2.0 200 "), head)
        wanted = {"method": "REGISTER", "status": 200, "user": "alice", "server": "hs102"}
        met = self.estate.ask(do="expect", message=wanted, times=1, within_ms=5000)
        self.assertTrue(met.get("met"), met)
        rows = self.estate.ask(do="users")["users"]
        self.assertEqual([len(row["registered"]) for row in rows], [1, 0])

    def test_its_certificates_are_good_for_its_names(self):
        context = ssl.create_default_context(cafile=self.estate.is_at["ca_file"])
        for name in ["lb", "hs102", "hs104"]:
            server = self.estate.server(name)
            host, port = server["listens"]["tls"].rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                with context.wrap_socket(connection, server_hostname=server["name"]) as secure:
                    self.assertIn(secure.version(), ["TLSv1.2", "TLSv1.3"])

    def test_what_was_not_met_names_the_nearest_miss(self):
        self.phone("alice").register("wrong")
        wanted = {"method": "REGISTER", "status": 200, "user": "alice"}
        unmet = self.estate.ask(do="expect", message=wanted)
        self.assertEqual((unmet["code"], unmet["found"]), ("S0405", 0))
        self.assertIn("its status is 401, not 200", unmet["nearest"])
        self.assertIn("SIP/2.0 401", unmet["ladder"])

    def test_a_fault_is_played_to_one_user_and_one_method(self):
        busy = {"respond": {"status": 486, "headers": [["X-Why", "lunch"]], "body": ["text/plain", "later"]}}
        order = dict(do="fault", server="hs102", play=busy, user="alice", method="OPTIONS", always=True)
        self.assertTrue(self.estate.ask(**order)["fault"])
        head, body = self.phone("alice").send("OPTIONS")
        self.assertTrue(head.startswith("SIP/2.0 486 ") and "X-Why: lunch" in head, head)
        self.assertEqual(body, "later")
        self.assertFalse(self.phone("bob").send("OPTIONS")[0].startswith("SIP/2.0 486 "))
        self.assertTrue(self.phone("alice").register("x")[0].startswith("SIP/2.0 401 "))
        self.estate.ask(do="clear_faults")
        self.assertFalse(self.phone("alice").send("OPTIONS")[0].startswith("SIP/2.0 486 "))

    def test_a_refused_command_says_why_and_what_helps(self):
        refused = self.estate.ask(do="move", user="nobody", home="hs102", why="")
        self.assertEqual(refused["code"], "S0210")
        self.assertTrue(refused["error"] and refused["cure"])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
