"""nginx for the test of deploy/nginx.conf: the one in PATH, else from the system's packages."""

import os
import shutil
import subprocess

# where Debian puts it, which is not in the PATH of an ordinary account
FOLDERS = os.pathsep.join(["/usr/sbin", "/usr/local/sbin"])


def find() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path=FOLDERS)


def find_or_install() -> str:
    """The program, installed if need be. Without it the test fails: none is passed over."""
    if path := find():
        return path
    print("No nginx here: installing it …", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {
            **os.environ,
            "DEBIAN_FRONTEND": "noninteractive",
            "RUNLEVEL": "1",
        }  # only the program: no service is started
        subprocess.call(["apt-get", "update", "-qq"], env=env)
        subprocess.call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "nginx"], env=env)
        if path := find():
            return path
    raise RuntimeError(
        "Teamspiegel: the test of deploy/nginx.conf needs nginx, and neither PATH nor apt-get gave one: install it"
        " (apt-get install nginx) and run the tests again."
    )
