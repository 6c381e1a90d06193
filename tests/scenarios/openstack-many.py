"""Runs commands of the installed `openstack` client one after another in one process, for starting it takes most of a command's
time. Standard input: one JSON list of words per line; standard output: one JSON object per line, {code, stdout, stderr}."""
import contextlib
import io
import json
import logging
import sys

from openstackclient import shell
from openstackclient.common import clientmanager
from osc_lib.clientmanager import ClientCache, ClientManager


def forget_logins():
    """The client keeps its connections for the whole process, whoever asks next."""
    for kind in (ClientManager, clientmanager.ClientManager):
        for part in vars(kind).values():
            if isinstance(part, ClientCache):
                part._handle = None


answers = sys.stdout
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    forget_logins()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(json.loads(line))
            # `federation protocol set` returns what it should print: a slip of the client's, after all went well.
            code = code if isinstance(code, int) else 0
        except SystemExit as thrown:
            code = thrown.code if isinstance(thrown.code, int) else 1
    # Each command sets up logging anew, and adds to what is there.
    for handler in list(logging.getLogger().handlers):
        logging.getLogger().removeHandler(handler)
    answers.write(json.dumps({"code": code, "stdout": out.getvalue(), "stderr": err.getvalue()}) + "\n")
    answers.flush()
