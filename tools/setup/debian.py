"""Fetches Debian packages without root and without touching the machine's own package lists.

The mirror is the one that the machine's own configuration names. Lists, downloads and the (empty)
table of installed packages live in a folder of the cache. apt checks every signature and hash.
"""

import glob
import os
import shutil
import subprocess
import tarfile

import common

SUITE_ALIASES = ("stable", "testing", "unstable", "sid", "oldstable")
KEPT_FIELDS = ("URIs", "Signed-By", "Trusted", "Check-Valid-Until")


def os_release(name, path="/etc/os-release"):
    """A value of the file that says which system this is, '' if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                key, _, value = line.strip().partition("=")
                if key == name:
                    return value.strip("\"'")
    except OSError:
        pass
    return ""


def _one_line_entries(path):
    """Entries of a `deb [options] uri suite components` file, as deb822 fields."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            kind, _, rest = line.partition(" ")
            rest = rest.strip()
            fields = {"Types": kind}
            if rest.startswith("["):
                options, _, rest = rest[1:].partition("]")
                for option in options.split():
                    name, _, value = option.partition("=")
                    fields[name.title()] = value  # signed-by: Signed-By
            words = rest.split()
            if kind in ("deb", "deb-src") and len(words) >= 3:
                fields.update(URIs=words[0], Suites=words[1], Components=" ".join(words[2:]))
                yield fields


def _deb822_entries(path):
    """Entries of a .sources file; a value keeps its continuation lines."""
    fields, name = {}, None
    with open(path, encoding="utf-8") as file:
        for line in [*file, "\n"]:
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if not line.strip():
                if fields:
                    yield fields
                fields, name = {}, None
            elif line[0] in " \t" and name:
                fields[name] += "\n" + line
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()


def entries():
    """What the machine's package configuration lists, as dicts of deb822 fields."""
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        try:
            if path.endswith(".list"):
                found += _one_line_entries(path)
            elif path.endswith(".sources"):
                found += _deb822_entries(path)
        except OSError:
            pass
    return [fields for fields in found if fields.get("Enabled", "yes").lower() != "no"]


def _main_entry():
    """(entry, suite) of the distribution's main archive, as opposed to additions of others."""
    wanted = [os_release("VERSION_CODENAME"), *SUITE_ALIASES]
    for suite in wanted:
        for fields in entries():
            suites, components = fields.get("Suites", ""), fields.get("Components", "")
            if suite and suite in suites.split() and "main" in components.split():
                return fields, suite
    raise common.SetupError(
        "No Debian mirror is named in /etc/apt/sources.list or /etc/apt/sources.list.d; add one."
    )


def own_suite():
    """The suite of this machine's distribution, such as 'bookworm'."""
    return _main_entry()[1]


def suites(*preferred):
    """The suites to try, in this order, then the machine's own (off Debian, only that)."""
    order = list(preferred) if os_release("ID") == "debian" else []
    own = own_suite()
    return order + ([] if own in order else [own])


class Archive:
    """One suite of the machine's mirror, for one architecture (default: the machine's)."""

    def __init__(self, log, suite, architecture=None, source=False):
        self._log = log
        self.suite = suite
        common.need("apt-get", "apt")
        fields = _main_entry()[0]
        if architecture is None:
            architecture = subprocess.run(
                ["dpkg", "--print-architecture"], capture_output=True, text=True, check=False
            ).stdout.strip()
        name = f"{suite}-{'source' if source else architecture}"
        self._folder = os.path.join(common.cache_dir(), "apt", name)
        components = [c for c in fields["Components"].split() if c in ("main", "universe")]
        self._listed = {name: fields[name] for name in KEPT_FIELDS if fields.get(name)}
        self._listed["Types"] = "deb-src" if source else "deb"
        self._listed["Suites"] = suite
        self._listed["Components"] = " ".join(components)
        self._options = self._apt_options(architecture)

    def _configure(self):
        """Make apt's folders and files, which another run may have deleted at its end."""
        folder = self._folder
        for part in ("state/lists/partial", "cache/archives/partial", "log"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        with open(os.path.join(folder, "own.sources"), "w", encoding="utf-8") as file:
            file.writelines(f"{name}: {value}\n" for name, value in self._listed.items())
        with open(os.path.join(folder, "status"), "w"):
            pass

    def _apt_options(self, architecture):
        folder = self._folder
        options = {
            "Dir::Etc::sourcelist": os.path.join(folder, "own.sources"),
            "Dir::Etc::sourceparts": os.path.join(folder, "nothing"),
            "Dir::State": os.path.join(folder, "state"),
            "Dir::State::status": os.path.join(folder, "status"),
            "Dir::Cache": os.path.join(folder, "cache"),
            "Dir::Log": os.path.join(folder, "log"),
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root",  # the cache may lie where apt's own user cannot go
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return [word for pair in options.items() for word in ("-o", "=".join(pair))]

    def _apt(self, words, cwd):
        self._log.run(
            ["apt-get", "-q", *self._options, *words],
            f"apt-get could not fetch from the suite {self.suite} of the machine's Debian mirror; "
            "check the network and the mirror.",
            cwd=cwd,
        )

    def _fetch(self, words, into):
        os.makedirs(into, exist_ok=True)
        with common.locked("apt"):
            self._configure()
            self._apt(["update"], into)  # of lists that are fresh, a matter of milliseconds
            self._apt(words, into)

    def source(self, package, into):
        """Unpack a source package (format 3.0 quilt) with its patches applied; its version."""
        self._fetch(["source", "--download-only", package], into)
        return unpack_source(glob.glob(os.path.join(into, "*.dsc"))[0], into, self._log)

    def unpack(self, packages, into, with_dependencies=False, is_wanted=None, without=()):
        """Unpack binary packages into a folder, if wanted with all that they depend on.

        is_wanted(path) -> bool tells which of their files, by default all; `without` names
        packages to leave out.
        """
        downloads = into + ".debs"
        if with_dependencies:
            words = ["install", "--download-only", "--no-install-recommends", "-y"]
            words += ["-o", "Dir::Cache::archives=" + downloads, "-o", "Debug::NoLocking=1"]
            os.makedirs(os.path.join(downloads, "partial"), exist_ok=True)
        else:
            words = ["download"]
        self._fetch([*words, *packages], downloads)
        os.makedirs(into, exist_ok=True)
        for path in sorted(glob.glob(os.path.join(downloads, "*.deb"))):
            if os.path.basename(path).split("_")[0] in without:
                continue
            if is_wanted is None:
                self._log.run(["dpkg-deb", "-x", path, into], f"{path} could not be unpacked.")
            else:
                _unpack_some(path, into, is_wanted)
        shutil.rmtree(downloads)


def _unpack_some(path, into, is_wanted):
    """Unpack those files of a .deb for which is_wanted(path without a leading ./) holds."""
    options = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
    command = ["dpkg-deb", "--fsys-tarfile", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    name = member.name[2:] if member.name.startswith("./") else member.name
                    if not member.isdir() and is_wanted(name):
                        archive.extract(member, into, **options)
        except (tarfile.TarError, OSError, KeyError) as error:
            raise common.SetupError(f"{path} could not be unpacked: {error}.") from None
    if process.returncode:
        raise common.SetupError(f"{path} could not be unpacked.")


def forget_lists():
    """Delete apt's lists, which are large and soon stale; called when all is set up."""
    folder = os.path.join(common.cache_dir(), "apt")
    if os.path.exists(folder):
        with common.locked("apt"):
            shutil.rmtree(folder, ignore_errors=True)


def unpack_source(dsc, into, log):
    """Unpack the two archives beside a .dsc into <into>/tree, patches applied; the version."""
    with open(dsc, encoding="utf-8") as file:
        version = next(line for line in file if line.startswith("Version:")).split()[1]
    tree = os.path.join(into, "tree")
    scratch = os.path.join(into, "scratch")
    (orig,) = glob.glob(os.path.join(into, "*.orig.tar.*[!c]"))
    (packaging,) = glob.glob(os.path.join(into, "*.debian.tar.*"))
    _extract(orig, scratch)
    (top,) = os.listdir(scratch)  # the archive holds one folder, whatever its name
    os.rename(os.path.join(scratch, top), tree)
    os.rmdir(scratch)
    _extract(packaging, tree)
    patches = os.path.join(tree, "debian", "patches")
    env = {"GIT_CEILING_DIRECTORIES": into}  # a repository that holds the cache is none of ours
    for name in _series(os.path.join(patches, "series")):
        log.run(
            ["git", "apply", "--whitespace=nowarn", os.path.join(patches, name)],
            f"Debian's patch {name} does not apply.",
            cwd=tree,
            env=env,
        )
    return version


def _series(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        names = [line.split("#")[0].split() for line in file]
    return [words[0] for words in names if words]


def _extract(path, into):
    try:
        with tarfile.open(path) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(into, filter="data")
            else:
                archive.extractall(into)
    except (tarfile.TarError, OSError) as error:
        raise common.SetupError(f"{path} could not be unpacked: {error}.") from None
