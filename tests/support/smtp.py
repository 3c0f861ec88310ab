# An SMTP server for tests: refuses `nobody@…` for good and `later@…` for now, and thinks for a while about a message to
# `slow@…`. Arguments: a folder for what it takes and a free port; then, for a server that encrypts and wants a login,
# `implicit` or `starttls`, a certificate, its key, a user and a password. It ends when its input does.
import asyncio, sys, os, socket, ssl
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
folder, port = sys.argv[1], int(sys.argv[2])
class Handler:
    count = 0
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"): return "550 5.1.1 there is no such mailbox"
        if address.startswith("later@"): return "451 4.3.0 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        name = os.path.join(folder, "%d-%d.eml" % (os.getpid(), Handler.count))
        with open(name, "wb") as file: file.write(envelope.original_content)
        if envelope.rcpt_tos[0].startswith("slow@"): await asyncio.sleep(30)
        if envelope.rcpt_tos[0].startswith("spam@"): return "554 5.7.1 we do not want this"
        return "250 2.0.0 taken as %d" % Handler.count
options = {}
if len(sys.argv) > 3:
    mode, certificate, key, user, password = sys.argv[3:8]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    def knows(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()), handled=False)
    # What is encrypted from the first byte on, the server itself does not see as encrypted.
    options = {"authenticator": knows, "auth_required": True, "auth_require_tls": mode == "starttls"}
    options.update({"ssl_context": context} if mode == "implicit" else {"tls_context": context, "require_starttls": True})
class Listening(Controller):
    # A controller says hello to its server itself: any certificate is good enough for that.
    def _trigger_server(self):
        with socket.create_connection((self.hostname, self.port), 5) as plain:
            with ssl._create_unverified_context().wrap_socket(plain) as client: client.recv(1024)
controller = (Listening if "ssl_context" in options else Controller)(Handler(), hostname="127.0.0.1", port=port, **options)
controller.start()
print("up", controller.server.sockets[0].getsockname()[1], flush=True)
sys.stdin.read()
