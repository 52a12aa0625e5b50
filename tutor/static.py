"""Where collected static files stand, compressed and named by content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # no types come with it
    """Names files by content; where none have been collected, a page still comes, with their plain names."""

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name
