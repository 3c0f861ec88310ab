# An SMTP server for tests: refuses `nobody@…` for good and `later@…` for now, and thinks for a while about a message to
# `slow@…`. Arguments: a folder for what it takes and a free port. It ends when its input does.
import asyncio, sys, os
from aiosmtpd.controller import Controller
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
controller = Controller(Handler(), hostname="127.0.0.1", port=port)
controller.start()
print("up", controller.server.sockets[0].getsockname()[1], flush=True)
sys.stdin.read()
