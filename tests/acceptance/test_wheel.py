"""The built wheel works in an empty folder, as `pip install`, `pipx install` and `uv tool install` install it."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.morgue_command import environment
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built of a copy of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, folder / "checkout" / name)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=folder / "checkout",
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel, which finds the libraries where these tests have them."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env"), "platbase": str(folder / "env")}))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--prefix", folder / "env", "--ignore-installed", wheel], check=True)
    # Behind what is installed here, so that nothing of the checkout is taken for it.
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    script = folder / "env" / "bin" / "morgue"
    script.write_text(script.read_text().replace(sys.executable, str(folder / "env" / "bin" / "python")))
    return folder / "env"


def run(installed, folder, *words):
    return subprocess.run(
        [installed / "bin" / "morgue", *words],
        cwd=folder,
        env=environment({"MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "true", "MORGUE_CRAWL__DELAY_SECONDS": "0"}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_publisher_is_archived_from_an_empty_folder(installed, tmp_path):
    with Newsroom() as newsroom:
        for story in STORIES[:2]:
            newsroom.publish_story(story)
        assert run(installed, tmp_path, "init").returncode == 0
        crawled = run(installed, tmp_path, "crawl", newsroom.url("/feed.rss"))
    assert "2 pages fetched: 2 created" in crawled.stdout, crawled.stderr
    assert "healthy" in run(installed, tmp_path, "db", "check").stdout
    assert "all whole" in run(installed, tmp_path, "verify").stdout
    where = "import crawler, morgue, scheduler, storage; print(*(one.__file__ for one in (crawler, morgue, scheduler)))"
    places = subprocess.run(
        [installed / "bin" / "python", "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()
    assert all(Path(place).is_relative_to(installed) for place in places), places


def test_what_an_operator_needs_travels_with_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("morgue.service", "compose.yml", "Dockerfile", "alerts.yml"):
        assert any(one.endswith(f"/share/morgue/deploy/{name}") for one in names), name


def test_a_package_of_another_program_in_our_place_is_told_in_one_line(installed, tmp_path):
    # As the program `scheduler` does that is on PyPI: it writes over the file of the same name.
    (ours,) = installed.glob("lib/python*/site-packages/scheduler/__init__.py")
    kept = ours.read_text()
    ours.write_text('__version__ = "0.8.8"\n')
    try:
        told = run(installed, tmp_path, "list")
    finally:
        ours.write_text(kept)
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"morgue: the package scheduler ({ours})")
    assert "pipx install" in line
