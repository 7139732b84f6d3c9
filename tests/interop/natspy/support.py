"""What nats-py's tests import as tests.utils, and its source distribution leaves out: servers for a
test case, started from the `nats-server` that stands first on PATH. The ports are those that the
tests name."""

import asyncio
import functools
import http.client
import os
import pathlib
import signal
import ssl
import subprocess
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LIMITS = {"short": 20, "long": 60}  # seconds; the machine may be busy with other things


def get_config_file(name):
    """The path of a file beside the tests."""
    return str(HERE / name)


class NATSD:
    """One server process; a test may stop it and start it again."""

    def __init__(self, port, http_port=None, config=None, cluster=None, routes=(), tls=False,
                 **credentials):
        self.port = port
        self.http_port = http_port or port + 4000
        self._flags = ["-a", "127.0.0.1", "-p", str(port), "-m", str(self.http_port)]
        for name, value in credentials.items():
            self._flags += [f"--{name}", value]
        if config:
            self._flags += ["--config", get_config_file(config)]
        if cluster:
            self._flags += ["--cluster_listen", cluster, "--cluster_name", "CLUSTER",
                            "--routes", ",".join(routes)]
        if tls:
            self._flags += ["--tls", "--tlscert", get_config_file("certs/server-cert.pem"),
                            "--tlskey", get_config_file("certs/server-key.pem"), "--tlsverify",
                            "--tlscacert", get_config_file("certs/ca.pem")]
        self.proc = None

    def start(self):
        """Starts the process, and does not wait for it."""
        with open(HERE / "servers.log", "ab") as log:
            self.proc = subprocess.Popen(["nats-server", *self._flags], stdout=log, stderr=log)

    def begin(self):
        """Starts it and waits until it says of itself that it is there."""
        self.start()
        until = time.monotonic() + 20
        while time.monotonic() < until and self.proc.poll() is None:
            try:
                asked = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
                asked.request("GET", "/varz")
                if asked.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"no server at port {self.port}: {' '.join(self._flags)}")

    def send_signal(self, number):
        """For tests that say how it is to end."""
        os.kill(self.proc.pid, number)

    def stop(self):
        """As if it crashed."""
        if self.proc is None or self.proc.poll() is not None:
            return
        self.send_signal(signal.SIGKILL)
        self.proc.wait()


class _Case(unittest.TestCase):
    """Servers around each test. `begun`: how many of them run when it begins."""

    begun = None

    def servers(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.loop = asyncio.new_event_loop()
        self.server_pool = self.servers()
        self.natsd = self.server_pool[0]
        for server in self.server_pool[:self.begun]:
            server.begin()

    def tearDown(self):
        for server in self.server_pool:
            server.stop()
        self.loop.close()


class _TlsCase(_Case):
    def setUp(self):
        super().setUp()
        self.ssl_ctx = ssl.create_default_context(cafile=get_config_file("certs/ca.pem"))
        self.ssl_ctx.load_cert_chain(get_config_file("certs/client-cert.pem"),
                                     get_config_file("certs/client-key.pem"))


def _routes(*ports):
    return [f"nats://127.0.0.1:{port}" for port in ports]


class SingleServerTestCase(_Case):
    def servers(self):
        return [NATSD(4222, http_port=8222)]


class MultiServerAuthTestCase(_Case):
    def servers(self):
        return [NATSD(4223, **{"user": "foo", "pass": "bar"}),
                NATSD(4224, **{"user": "hoge", "pass": "fuga"})]


class MultiServerAuthTokenTestCase(_Case):
    def servers(self):
        return [NATSD(4223, auth="token"), NATSD(4224, auth="token"), NATSD(4225, auth="secret")]


class TLSServerTestCase(_TlsCase):
    def servers(self):
        return [NATSD(4224, tls=True)]


class TLSServerHandshakeFirstTestCase(_TlsCase):
    def servers(self):
        return [NATSD(4224, config="conf/tls_handshake_first.conf")]


class MultiTLSServerAuthTestCase(_TlsCase):
    def servers(self):
        return [NATSD(4223, tls=True, **{"user": "foo", "pass": "bar"}),
                NATSD(4224, tls=True, **{"user": "hoge", "pass": "fuga"})]


class ClusteringTestCase(_Case):
    begun = 1

    def servers(self):
        routes = _routes(6223, 6224, 6225)
        return [NATSD(port, cluster=f"nats://127.0.0.1:{port + 2000}", routes=routes)
                for port in (4223, 4224, 4225)]


class ClusteringDiscoveryAuthTestCase(_Case):
    def servers(self):
        return [NATSD(port, cluster=f"nats://127.0.0.1:{port + 2000}", routes=_routes(6223),
                      **{"user": "foo", "pass": "bar"}) for port in (4223, 4224, 4225)]


class NoAuthUserServerTestCase(_Case):
    def servers(self):
        return [NATSD(4555, http_port=8222, config="conf/no_auth_user.conf")]


def _within(seconds):
    """A coroutine as a test, with an end."""
    def decorate(test):
        @functools.wraps(test)
        def run(case, *arguments, **more):
            asyncio.set_event_loop(case.loop)
            return asyncio.run(asyncio.wait_for(test(case, *arguments, **more), seconds))
        return run
    return decorate


async_test = _within(LIMITS["short"])
async_long_test = _within(LIMITS["long"])
async_debug_test = _within(3600)
