"""`make crawl` takes what is typed as text, takes nothing else, and is not spoiled by an environment left half-made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SHOW_WORDS = '#!/bin/sh\nfor word; do printf "[%s]" "$word"; done\necho\n'
DEMONSTRATION = "[-m][tests.demonstration]"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A clone whose programs only show the words that they were called with."""
    shutil.copyfile(CHECKOUT / "Makefile", tmp_path / "Makefile")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", ".venv/.installed"):
        (tmp_path / name).touch()
    for name in ("morgue", "python", "pip"):
        program(programs / name, SHOW_WORDS)
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def make(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # Without what `make test` hands down to those it calls.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    for name in ("URL", "CONFIG"):
        kept.pop(name, None)
    return subprocess.run(
        ["make", *words], cwd=folder, env=kept | variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "shown", "called"),
    [
        (["URL=https://e.org/a"], ".venv/bin/morgue crawl https://e.org/a", "[crawl][https://e.org/a]"),
        (["CONFIG=morgue.toml"], ".venv/bin/morgue --config morgue.toml crawl", "[--config][morgue.toml][crawl]"),
        (
            ["CONFIG=my file.toml", "URL=e.org"],
            ".venv/bin/morgue --config 'my file.toml' crawl e.org",
            "[--config][my file.toml][crawl][e.org]",
        ),
        (
            ["URL=https://e.org/a?id=1&page=2"],
            ".venv/bin/morgue crawl 'https://e.org/a?id=1&page=2'",
            "[crawl][https://e.org/a?id=1&page=2]",
        ),
        (
            ["URL=https://e.org/it's;touch made"],
            r".venv/bin/morgue crawl 'https://e.org/it'\''s;touch made'",
            "[crawl][https://e.org/it's;touch made]",
        ),
    ],
)
def test_what_is_typed_is_one_word(folder, words, shown, called):
    result = make(folder, "crawl", *words)
    assert result.stdout.splitlines() == [shown, called]
    assert result.returncode == 0


@pytest.mark.parametrize(
    "text", ["$(shell touch made)", "$(touch made)", "`touch made`", "a\ntouch made", '";touch made']
)
@pytest.mark.parametrize("name", ["URL", "CONFIG"])
def test_nothing_in_it_is_run(folder, name, text):
    result = make(folder, "crawl", f"{name}={text}")
    assert f"[{text}]" in result.stdout
    assert not (folder / "made").exists()


def test_the_surroundings_choose_nothing(folder):
    assert DEMONSTRATION in make(folder, "crawl", URL="https://e.org/", CONFIG="other.toml").stdout
    assert "[crawl][https://e.org/]" in make(folder, "crawl", "URL=https://e.org/", CONFIG="other.toml").stdout
    assert DEMONSTRATION in make(folder, "crawl", "URL=").stdout


def test_a_failed_command_fails(folder):
    program(folder / ".venv" / "bin" / "morgue", "#!/bin/sh\nexit 3\n")
    assert make(folder, "crawl", "URL=e.org").returncode != 0


def test_an_environment_that_could_not_be_made_leaves_nothing_behind(folder):
    shutil.rmtree(folder / ".venv")
    program(
        folder / "python3-without-venv",
        '#!/bin/sh\n[ "$2" = venv ] || exit 0\nmkdir -p "$3/bin" && touch "$3/bin/python"\n'
        "echo no ensurepip >&2\nexit 1\n",
    )
    result = make(folder, "crawl", "PYTHON=./python3-without-venv")
    assert result.returncode != 0
    assert "no ensurepip" in result.stderr
    assert not (folder / ".venv").exists()


def test_an_environment_that_was_left_half_made_is_made_whole(folder):
    for name in (".venv/bin/pip", ".venv/.installed"):
        (folder / name).unlink()
    program(
        folder / "python3-with-venv", '#!/bin/sh\n[ "$2" = venv ] || exit 0\nmkdir -p "$3/bin" && touch "$3/bin/pip"\n'
    )
    result = make(folder, "crawl", "PYTHON=./python3-with-venv")
    assert (result.returncode, result.stderr) == (0, "")
    assert DEMONSTRATION in result.stdout
    assert (folder / ".venv" / "bin" / "pip").exists()


PIP = """\
#!/bin/sh
case "$*" in
*--require-hashes*)
    echo "WARNING: something that does no harm"
    i=0; while [ $i -lt 45 ]; do i=$((i + 1)); echo "Collecting library-$i==1 (from -r requirements.lock)"; done
    [ -z "$BROKEN" ] || { echo "ERROR: these packages do not match their hashes" >&2; exit 1; }
    echo "Installing collected packages: all of them";;
esac
"""


def test_installing_shows_how_far_it_has_come(folder):
    (folder / "requirements.lock").write_text("".join(f"library-{n}==1 \\\n    --hash=x\n" for n in range(1, 46)))
    (folder / ".venv" / ".installed").unlink()
    program(folder / ".venv" / "bin" / "python", PIP)
    result = make(folder, "crawl", "URL=e.org")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Installing the libraries of requirements.lock into .venv, once:",
        "  20 of 45 libraries fetched",
        "  40 of 45 libraries fetched",
        "  and now unpacked …",
        ".venv/bin/morgue crawl e.org",
        "[crawl][e.org]",
    ]


def test_an_installation_that_fails_says_why_and_is_tried_again(folder):
    (folder / ".venv" / ".installed").unlink()
    program(folder / ".venv" / "bin" / "python", PIP)
    result = make(folder, "crawl", "URL=e.org", BROKEN="yes")
    assert result.returncode != 0
    assert "these packages do not match their hashes" in result.stderr
    assert not (folder / ".venv" / ".installed").exists()
    assert make(folder, "crawl", "URL=e.org").returncode == 0
