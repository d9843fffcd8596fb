"""The standard library on top of the blocking API: http, socketserver, xmlrpc, pickle."""

import http.client
import http.server
import os
import pickle
import socketserver
import sys
import threading
import xmlrpc.client
import xmlrpc.server

import pytest
from blocking_support import PATIENCE_S, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from blocking_pair import Pair, free_listener, lossy, pattern

from kcp import blocking

BODY = pattern(200000)


class KcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """socketserver's threads and loop over our listener, as a user would write it."""

    daemon_threads = True

    def __init__(self, handler, **options):
        listener, self.port = free_listener(mode="fast3", linger_ms=2000, **options)
        listener.settimeout(None)
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()  # (TCPServer has made one)
        self.socket = listener

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc_info):
        self.shutdown()
        self.server_close()


class Echo(socketserver.StreamRequestHandler):
    timeout = PATIENCE_S

    def handle(self):
        while (line := self.rfile.readline()) != b"bye\n":
            self.wfile.write(line.upper())


def test_socketserver():
    with KcpServer(Echo) as server:
        for name in (b"one\n", b"two\n"):
            sock = blocking.connect("127.0.0.1", server.port, timeout=PATIENCE_S)
            with sock, sock.makefile("rwb") as file:
                for _ in range(3):
                    file.write(name * 2)
                    file.flush()
                    assert file.readline() + file.readline() == name.upper() * 2
                file.write(b"bye\n")
        until(lambda: server.socket.stats.CurrEstab == 0)


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_GET(self):
        self.answer(BODY)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class KcpHTTPConnection(http.client.HTTPConnection):
    """http.client over KCP: nothing but the socket is another."""

    def connect(self):
        self.sock = blocking.connect(self.host, self.port, timeout=self.timeout, mode="fast3")


@pytest.mark.parametrize("percent", [0, 5])
def test_http(percent):
    with KcpServer(Pages) as server:
        connection = KcpHTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        connection.connect()
        lossy(connection.sock, percent)
        lossy(server.socket, percent, 5)
        for _ in range(3):  # one session for all
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read() == BODY
        connection.request("POST", "/", body=BODY)
        assert connection.getresponse().read() == BODY[::-1]
        assert server.socket.stats.PassiveOpens == 1
        connection.close()


def test_xmlrpc():
    class Transport(xmlrpc.client.Transport):
        def make_connection(self, host):
            name, _, port = host.partition(":")
            return KcpHTTPConnection(name, int(port), timeout=PATIENCE_S)

    class Server(KcpServer, xmlrpc.server.SimpleXMLRPCDispatcher):
        logRequests = False

        def __init__(self):
            xmlrpc.server.SimpleXMLRPCDispatcher.__init__(self)
            KcpServer.__init__(self, Requests)

    class Requests(xmlrpc.server.SimpleXMLRPCRequestHandler):
        disable_nagle_algorithm = False  # there is none in KCP to be disabled
        timeout = 2

    with Server() as server:
        server.register_function(pow)
        url = f"http://127.0.0.1:{server.port}/RPC2"
        with xmlrpc.client.ServerProxy(url, Transport()) as proxy:
            assert proxy.pow(2, 10) == 1024


def test_pickles_over_files():
    with Pair() as p, p.client.makefile("wb") as out, p.peer.makefile("rb") as file:
        values = [{"a": list(range(1000))}, "text", BODY[:5000]]
        for value in values:
            pickle.dump(value, out)
        out.flush()
        assert [pickle.load(file) for _ in values] == values
