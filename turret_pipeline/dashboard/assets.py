"""Static files under names with a hash of their content: browsers keep them for good and never use an old one."""

import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


class Assets:
    """All files of the static folder, by name and by name with hash."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = [file for file in sorted(folder.rglob("*")) if file.suffix in TYPES]
        self._urls = {file.relative_to(folder).as_posix(): _name_with_hash(file) for file in files}
        self._files = dict(zip(self._urls.values(), files, strict=True))

    def url(self, name: str) -> str:
        """The path of a file, such as "dashboard.css"."""
        return f"/static/{self._urls[name]}"

    async def serve(self, request: Request) -> FileResponse:
        """The file of a path. Raises HTTPException (404) if it is unknown."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


def _name_with_hash(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    return f"{file.stem}.{digest}{file.suffix}"
