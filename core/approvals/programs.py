"""What programs are known to do, as far as an approval has to know it. Nothing here makes a program safe.

The tables say what a command line shows openly: that it reaches a network, other rights, other processes, or changes
what later words mean. A program that is in none of them is taken for one that works with the files it names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READERS = _words("""
ls cat head tail wc pwd echo printf grep egrep fgrep stat file du df which true false test [ cut diff cmp basename
dirname realpath readlink nl tr seq sleep date id whoami uname nproc sha256sum sha1sum md5sum cksum od hexdump strings
column comm paste rev fold tac find cd jq tree
""")
"""Programs that only read, used without the options below."""
_READER_CHANGES = {
    "find": re.compile(r"-(exec|execdir|ok|okdir|delete|fprint0?|fprintf|fls)"),
    "date": re.compile(r"-[uR]*s.*|--se.*|[0-9.]{8,}"),
    "tree": re.compile(r"-[A-Za-z]*[oR].*"),
    "file": re.compile(r"-[A-Za-z]*C.*|--com.*"),
}

SAYS_ONLY = _words("echo printf true false test [ seq sleep :")
"""Programs whose words are text and never opened."""
TEXT_FIRST = _words("grep egrep fgrep rg sed awk gawk mawk jq tr")
"""Programs whose first plain word is a pattern or a script, not a path."""

_BEYOND = _words("""
sudo doas su pkexec runuser chroot nsenter unshare bwrap setpriv docker podman nerdctl kubectl helm systemctl service
systemd-run loginctl launchctl crontab at batch mount umount modprobe insmod rmmod sysctl iptables nft ip passwd useradd
usermod userdel groupadd visudo chown chgrp reboot shutdown halt poweroff mkfs fdisk parted dd screen tmux script
gdb strace ltrace ssh-agent gosu sg newgrp wall write busctl dbus-send dbus-run-session xdg-open gio
""")
_CARRIERS = _words("""
watch flock taskset chrt numactl parallel sem setarch linux32 linux64 unbuffer entr run-parts prlimit fakeroot proot
firejail cgexec xvfb-run faketime rlwrap start-stop-daemon choom su pkexec runuser chroot nsenter unshare setpriv script
strace ltrace gdb tmux screen systemd-run docker podman ssh sg gosu ssh-agent dbus-run-session fish csh tcsh
""")
"""Programs that run what stands behind them in ways that are not read here."""
_NETWORK = _words("""
curl wget ssh scp sftp rsync nc ncat netcat telnet ftp socat ping nslookup dig host traceroute whois openssl mail
sendmail aws gcloud az gh glab hub heroku flyctl vercel netlify terraform ansible ansible-playbook npx bunx
pnpx dlx uvx pipx rclone s3cmd psql mysql mongo redis-cli apt apt-get aptitude dnf yum apk pacman brew snap gem twine
http.server
""")
_PROCESSES = _words("kill pkill killall killall5 xkill skill fuser disown")
_MEANING = _words("""
eval source . trap alias unalias export declare typeset readonly local unset set shopt enable hash bind complete read
mapfile readarray getopts let exec builtin pushd popd ulimit umask compgen compopt fc history
""")
_OURS = _words("longwatch tui.cli tui")

_INSTALLS = {
    **dict.fromkeys(("pip", "pip3"), _words("install download uninstall wheel index search config")),
    "uv": _words("pip add remove sync lock tool python publish run init self"),
    "poetry": _words("install add update remove publish lock source config self"),
    "npm": _words("install i ci add update uninstall publish exec x init create audit login link config"),
    "pnpm": _words("install i add update remove publish dlx exec link config"),
    "yarn": _words("install add upgrade remove publish dlx link config"),
    "bun": _words("install add update remove publish x link"),
    "cargo": _words("install add fetch update publish login search owner"),
    "go": _words("get install generate mod env"),
    "dotnet": _words("add restore nuget tool"),
    "composer": _words("install require update global"),
    "bundle": _words("install update add"),
    "conda": _words("install create update remove"),
    "deno": _words("install add eval"),
}
_FETCHES = {
    **dict.fromkeys(("pip", "pip3"), _words("install download wheel index search")),
    "uv": _words("pip add sync lock tool python publish"),
    "poetry": _words("install add update publish lock"),
    **dict.fromkeys(
        ("npm", "pnpm", "yarn", "bun"), _words("install i ci add update upgrade publish create audit login")
    ),
    "cargo": _words("install add fetch update publish login search owner"),
    "go": _words("get install"),
    "dotnet": _words("add restore nuget"),
    "composer": _words("install require update"),
    "bundle": _words("install update add"),
    "conda": _words("install create update"),
}
"""Subcommands that load something, or put it somewhere."""
_GIT_HERE = _words("""
add apply blame branch cat-file check-ignore checkout cherry-pick clean commit describe diff grep init log ls-files
ls-tree merge merge-base mv rebase reflog reset restore rev-list rev-parse revert rm shortlog show show-ref stash status
switch tag version help
""")
"""Subcommands of git that work on the repository at hand."""
_GIT_REACHES = _words("push fetch pull clone ls-remote")
_RATHER_LOCAL = _words("openssl mail npx bunx pnpx hub gem http.server")
"""Programs of the network that often do without it."""
_OFFLINE = _words("--offline --no-index")
_HERE = re.compile(r"(https?://)?(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1\])(:\d+)?([/?#].*)?")
"""An address of the machine itself, which in a sandbox is the command's own."""
_GIT_RUNS = re.compile(
    r"--(exe?c?|upl.*|rece.*|ext(?!end).*|textc.*|op.*|ou(?!rs|tput-i).*|conte.*|edit-d.*|unsafe.*)(=.*)?|-[xO].*"
)  # git takes the beginning of an option for the whole
_GIT_VALUED = _words("-C -c --git-dir --work-tree --namespace --super-prefix --config-env --attr-source")
_GIT_BUNDLED = {"rebase": re.compile(r"-[A-Za-z]*x.*"), "grep": re.compile(r"-[A-Za-z]*O.*")}
_ACTS = {
    **dict.fromkeys(("test", "["), re.compile(r"-[vR]")),  # what is in the brackets of a name is run
    "printf": re.compile(r"-v.*"),
    "wait": re.compile(r"-[a-z]*p.*"),
    "jobs": re.compile(r"-[a-z]*x.*"),
    **dict.fromkeys(
        ("tar", "gtar", "bsdtar"),
        re.compile(r"--(checkpoint-|to-c|use|rs|inf|new-v|rmt|abs).*|-[A-Za-z]*[IFP].*"),
    ),
    "zip": re.compile(r"-[A-Za-z]*TT.*|--unz.*"),
    "split": re.compile(r"--fi.*"),
    "sort": re.compile(r"--co.*"),
    **dict.fromkeys(("make", "gmake"), re.compile(r"--ev.*|-[A-Za-z]*E.*")),
    "cmake": re.compile(r"-E"),
    "sqlite3": re.compile(r"\s*\.(?!(tables|schema|indexes|databases|dump|mode|headers?|show)\b[^\n]*\Z).*|-cmd", re.S),
}
"""Options of programs with which they run others, or write elsewhere."""
_INLINE = {
    "python": re.compile(r"-[A-Za-z]*c.*|-"),
    "perl": re.compile(r"-[A-Za-z0-9]*[eE].*|-[mMd].*|-"),
    "ruby": re.compile(r"-[A-Za-z]*e.*|-"),
    "node": re.compile(r"-[a-z]*[ep].*|--(eval|print|import|require).*|-r.*|-"),
    "deno": re.compile(r"eval|-"),
    "php": re.compile(r"-[rRBE].*|-"),
    "lua": re.compile(r"-e.*|-"),
    "osascript": re.compile(r".*"),
    "timeit": re.compile(r".*"),
    **dict.fromkeys(
        _words("""
        fish csh tcsh mksh yash elvish nu xonsh pwsh ipython Rscript R julia elixir erl tsx ts-node bun tclsh expect
        """),
        re.compile(r"-[A-Za-z]*[ceE].*|--(eval|exec|command|print).*|-"),
    ),
}
FED = re.compile(r"/dev/(stdin|fd/.*)|/proc/.*/fd/.*")
"""Scripts that are no files: what a pipe or a redirection brings."""
_AWKS = ("awk", "gawk", "mawk", "nawk", "original-awk")
_AWK_LOADS = re.compile(r"-[filEe]|--")
_AWK_ACTS = re.compile(r"system|getline|\||>|@|ENVIRON")
_PAGERS = _words("vi vim nvim view rvim vimdiff gvim ex ed red emacs nano pico less more most man")
_SED_PLAIN = re.compile(r"(\d+|\$)?(,(\d+|\$))?[pdq=]|s([^\w\s\\])(?:(?!\4).)*\4(?:(?!\4).)*\4[gpiI0-9]*")


def reads_only(argv: Sequence[str]) -> bool:
    """Whether this command changes nothing by itself, whatever it reads."""
    name = argv[0]
    changes = _READER_CHANGES.get(name) or _ACTS.get(name)
    return name in READERS and not (changes and any(changes.fullmatch(word) for word in argv[1:]))


def acts(argv: Sequence[str]) -> str | None:
    """The option by which a command runs others or writes elsewhere; None: it has none that is known."""
    name, rest = argv[0], argv[1:]
    if name == "git":
        return next((word for word in git_verb(rest)[1:] if _git_runs(git_verb(rest)[0], word)), None)
    known = _ACTS.get(name) or _READER_CHANGES.get(name)
    return next((word for word in rest if known.fullmatch(word)), None) if known else None


def git_verb(rest: Sequence[str]) -> Sequence[str]:
    """The words of git behind its own options, of which those that are known here take the next word."""
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        at += 2 if rest[at] in _GIT_VALUED else 1
    return rest[at:] or ("",)


def carries(argv: Sequence[str]) -> bool:
    """Whether a command surely runs another one that its words name, without saying which of them."""
    return argv[0] in _CARRIERS


def openly(argv: Sequence[str]) -> str | None:
    """What a command openly does beyond the files it names, as a sentence about it; None: nothing that is known."""
    name, rest = argv[0], argv[1:]
    if name in _OURS:
        return "it calls Longwatch itself"
    if name in _BEYOND:
        return f"{name} acts with other rights or outside of this session"
    if name in _NETWORK:
        return f"{name} reaches the network"
    if name in _PROCESSES:
        return f"{name} acts on other processes"
    if name in _MEANING and not _harmless_setting(name, rest):
        return f"{name} changes what later words mean"
    if name == "git":
        return _git(rest)
    installer = re.sub(r"[\d.]+$", "", name)
    if (verb := next((word for word in rest if not word.startswith("-")), "")) in _INSTALLS.get(installer, ()):
        return f"{name} {verb} reaches the network or changes the environment"
    if name in _ACTS and (odd := next((word for word in rest if _ACTS[name].fullmatch(word)), None)):
        return f"{name} with {odd} may run other programs or write elsewhere"
    if name in _CARRIERS:
        return f"{name} runs another program"
    return _inline(name, rest) or _scripted(name, rest)


def reaches_network(argv: Sequence[str]) -> bool:
    """Whether a command surely needs a network to do what its words say."""
    name, rest = argv[0], argv[1:]
    if re.fullmatch(r"(python|pypy)[\d.]*", name) and "-m" in rest[:-1]:
        return reaches_network(rest[rest.index("-m") + 1 :])
    if name == "git":
        return _git_reaches(*git_verb(rest))
    if not _OFFLINE.isdisjoint(rest):
        return False
    verb = next((word for word in rest if not word.startswith("-")), "")
    return (name in _NETWORK and name not in _RATHER_LOCAL) or verb in _FETCHES.get(name, ())


def stays_here(argv: Sequence[str]) -> bool:
    """Whether every address that a command names is of the machine itself."""
    addresses = [word for word in argv[1:] if "://" in word or _HERE.fullmatch(word)]
    return bool(addresses) and all(map(_HERE.fullmatch, addresses))


def is_fed(argv: Sequence[str]) -> bool:
    """Whether a command takes what it does from its input, of which its words tell nothing."""
    name, rest = argv[0], argv[1:]
    if name == "sqlite3":
        return sum(not word.startswith("-") for word in rest) < 2
    family = _family(name)
    options = _python_options(rest) if family == "python" else rest
    return family in _INLINE and (not rest or "-" in options or any(map(FED.fullmatch, rest)))


def _git_reaches(verb: str, *rest: str) -> bool:
    """Whether git surely goes to a repository that is not among the files; what has no colon is cloned from there."""
    plain = [word for word in rest if not word.startswith("-")]
    if verb == "clone" or (verb == "submodule" and plain[:1] == ["add"]):
        return any(":" in word for word in plain)
    if verb == "submodule":
        return plain[:1] == ["update"]
    if verb == "archive":
        return any(word.startswith("--rem") for word in rest)
    return verb in _GIT_REACHES and not "".join(plain[:1]).startswith((".", "/"))


def _harmless_setting(name: str, rest: Sequence[str]) -> bool:
    """`set -euo pipefail` and its like only make a script stricter."""
    return name == "set" and all(re.fullmatch(r"[-+][euxo]+|pipefail|errexit|nounset", word) for word in rest)


def _git(rest: Sequence[str]) -> str | None:
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        if rest[at] not in ("-C", "--no-pager", "-P", "--version", "--help"):
            return f"git with {rest[at]} may run other programs"
        at += 2 if rest[at] == "-C" else 1
    verb = rest[at] if at < len(rest) else ""
    if verb and verb not in _GIT_HERE:
        return f"git {verb} reaches other repositories or changes how git works"
    odd = next((word for word in rest[at + 1 :] if _git_runs(verb, word)), None)
    return f"git {verb} with {odd} may run other programs or write elsewhere" if odd else None


def _git_runs(verb: str, word: str) -> bool:
    bundled = _GIT_BUNDLED.get(verb)
    return bool(_GIT_RUNS.fullmatch(word) or (bundled and bundled.fullmatch(word)))


def _family(name: str) -> str:
    """The language of an interpreter, without its version."""
    return "python" if re.fullmatch(r"(python|pypy)[\d.]*", name) else re.sub(r"[\d.]+$", "", name)


def _inline(name: str, rest: Sequence[str]) -> str | None:
    family = _family(name)
    pattern = _INLINE.get(family)
    if pattern is None:
        return None
    options = _python_options(rest) if family == "python" else list(rest)
    if not rest and family != "osascript":
        return f"{name} reads a program from elsewhere"
    if any(FED.fullmatch(word) for word in rest):
        return f"{name} reads a program from elsewhere"
    if any(pattern.fullmatch(word) for word in options):
        return f"{name} runs a program that stands in the command"
    module = next((word for word in options if word.startswith("-m")), None)
    if module is None or family != "python":
        return None
    words = [*([module[2:]] if module != "-m" else []), *rest[rest.index(module) + 1 :]]
    return openly(words) if words else None


def _python_options(rest: Sequence[str]) -> list[str]:
    """The interpreter's own options: they end where its script or module begins."""
    options: list[str] = []
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        options.append(rest[at])
        if rest[at].startswith("-m"):
            break
        at += 2 if rest[at] in ("-W", "-X", "--check-hash-based-pycs") else 1
    return options


def _scripted(name: str, rest: Sequence[str]) -> str | None:
    """awk and sed have languages of their own, which can run programs and write files."""
    valued = ("-v", "-F") if name in _AWKS else ()
    plain = [word for before, word in pairwise(["", *rest]) if not word.startswith("-") and before not in valued]
    if name in _AWKS and (not plain or _AWK_ACTS.search(plain[0]) or any(map(_AWK_LOADS.match, rest))):
        return "the awk program may run others or write files"
    if name == "sed":
        scripted = any(re.fullmatch(r"-[a-z]*[ef].*|--(expression|file).*", word) for word in rest)
        if scripted or not plain or not _SED_PLAIN.fullmatch(plain[0]):
            return "the sed script may run others or write files"
    if name in _PAGERS:
        return f"{name} can run other programs"
    if name == "make" and any("=" in word for word in rest):
        return "make is given variables, which its file may run"
    return None


HARMLESS_VARIABLES = re.compile(
    r"CI|DEBUG|VERBOSE|TZ|LANG|LANGUAGE|LC_[A-Z]+|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR(_FORCE)?"
    r"|PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED|PYTHONHASHSEED|PYTHONUTF8|PYTHONIOENCODING|RUST_BACKTRACE|RUST_LOG"
    r"|NODE_ENV|RAILS_ENV|RACK_ENV|APP_ENV|SOURCE_DATE_EPOCH|HYPOTHESIS_PROFILE|COVERAGE_CORE"
)
"""Variables that may be set before a command without changing which programs run; every other one is asked about."""
