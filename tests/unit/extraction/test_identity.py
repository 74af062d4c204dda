"""The extractor id."""

import subprocess
import sys

from crawler.extraction import extractor_id


def test_id_depends_on_the_settings_of_the_source_and_on_nothing_else():
    assert extractor_id(timezone=None) == extractor_id(timezone=None)
    assert len({extractor_id(timezone=zone) for zone in (None, "Asia/Kolkata", "Europe/Berlin")}) == 3


def test_id_is_told_without_loading_trafilatura():
    code = (
        "import sys; from crawler.extraction import extractor_id; from crawler.page_reading import PageReader;"
        "print(extractor_id(timezone=None), 'trafilatura' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [extractor_id(timezone=None), "False"]
