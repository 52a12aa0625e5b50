from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

from tutor.static import CollectedFiles


def test_collected_files_are_named_by_content(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    collecting = CollectedFiles(location=tmp_path)
    collecting.save("page.js", ContentFile(b"play()"))
    list(collecting.post_process({"page.js": (collecting, "page.js")}))
    assert CollectedFiles(location=tmp_path).url("page.js") not in ("/static/page.js", "page.js")


def test_where_none_have_been_collected_pages_still_come(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    assert CollectedFiles(location=tmp_path).url("page.js") == "/static/page.js"
