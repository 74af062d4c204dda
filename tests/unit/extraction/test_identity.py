"""The extractor id is the same wherever the same extractor runs, and another when anything that decides has changed."""

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from crawler.extraction import extractor_id, identity

EXTRACTION = Path(identity.__file__).parent
NO_SAY = {"pebble"}
"""Carries pages to the extractor and back."""
OUR_OWN = {"storage.model", "storage.outcomes", "storage.clock", "storage.combining_marks", "crawler.worker_pool"}
"""What the extractor may use of our other folders: closed lists, a clock, the pool; and what the id covers."""


def imports():
    """Return what the modules that decide import."""
    for name, path in identity._files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield name, node.module


@pytest.fixture
def forgetful():
    """Have the id worked out anew."""
    identity._code_digest.cache_clear()
    identity._digest.cache_clear()
    yield
    identity._code_digest.cache_clear()
    identity._digest.cache_clear()


def test_it_differs_by_the_settings_of_a_source():
    assert extractor_id(timezone=None) == extractor_id(timezone=None)
    assert len({extractor_id(timezone=zone) for zone in (None, "Asia/Kolkata", "Europe/Berlin")}) == 3


def test_it_is_told_without_loading_the_extractor():
    program = (
        "import sys; from crawler.extraction import extractor_id; from crawler.page_reading import PageReader;"
        "print(extractor_id(timezone=None), 'trafilatura' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert told == [extractor_id(timezone=None), "False"]


def test_every_library_that_the_extractor_imports_is_in_it():
    packages = metadata.packages_distributions()
    imported = {module.partition(".")[0] for _, module in imports()} - set(sys.stdlib_module_names)
    libraries = {packages[name][0].lower().replace("-", "_") for name in imported - {"crawler", "storage"}}
    assert libraries - NO_SAY <= {library.lower().replace("-", "_") for library in identity._LIBRARIES}


def test_the_extractor_uses_no_other_code_of_ours():
    ours = {module for _, module in imports() if module.partition(".")[0] in ("crawler", "storage", "scheduler")}
    assert {module for module in ours if not module.startswith("crawler.extraction")} <= OUR_OWN


@pytest.mark.parametrize("library", identity._LIBRARIES)
def test_an_upgrade_of_a_library_is_another_extractor(library, forgetful, monkeypatch):
    before, version = extractor_id(timezone=None), metadata.version
    identity._code_digest.cache_clear()
    identity._digest.cache_clear()
    monkeypatch.setattr(identity, "version", lambda name: "99" if name == library else version(name))
    assert extractor_id(timezone=None) != before


def test_every_file_that_decides_is_in_it_by_its_place(forgetful):
    names = [name for name, _ in identity._files()]
    below = {path.relative_to(EXTRACTION).as_posix() for path in EXTRACTION.rglob("*.py")}
    assert below - set(names) == identity._NOT_READING
    assert len(set(names)) == len(names)
