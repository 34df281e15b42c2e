"""PIL resizes what is decoded already; no file is ever opened by it, by a search of the source and by trial."""

import ast
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.box import Decoder

HERE = Path(__file__).parent
READERS = {"open", "frombytes"}
HELPERS = {"to_image", "to_pillow", "register_heif_opener", "register_avif_opener", "ImageFile"}
PRODUCT = ("cluster", "serve_apps", "batch", "api")


def test_pil_is_never_handed_the_bytes_of_a_file(
    tmp_path: Path, samples: dict[str, Path], movie: Any, photo: Any, profile: Any, jpeg_bytes: Any, vips_image: Any
) -> None:
    """With every way by which PIL reads files barred, all formats still decode; and the bar itself works."""
    cmyk = tmp_path / "cmyk.jpeg"
    cmyk.write_bytes(vips_image(photo).icc_export(output_profile="cmyk").jpegsave_buffer())
    p3 = tmp_path / "p3.jpeg"
    p3.write_bytes(jpeg_bytes(icc=profile("p3")))
    cut = tmp_path / "cut.jpeg"
    cut.write_bytes(jpeg_bytes()[:9000])
    given = [*samples.values(), cmyk, p3, cut, movie(tmp_path / "film.mp4", [photo] * 3)]
    handed = tmp_path / "pil.jpeg"
    handed.write_bytes(jpeg_bytes())
    with Decoder(MediaSettings(child=(str(HERE / "pil_free_child.py"),)), tmp_path / "derived") as barred:
        for path in given:
            assert barred.decode(bytes(path)).derived["preview"]
            assert barred.rgb(bytes(path), 100).any()
        with pytest.raises(Unreadable, match="PilWasAsked"):
            barred.decode(bytes(handed))


def pil_readers(source: str) -> set[str]:
    """What a module takes from PIL, or from its relatives, that would read a file's bytes."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = [node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL")]
    taken = {alias.name: alias.asname or alias.name for node in imported for alias in node.names}
    pil = {"PIL.Image", taken.get("Image", "PIL.Image")}
    attributes = [(ast.unparse(node.value), node.attr) for node in nodes if isinstance(node, ast.Attribute)]
    read = {name for owner, name in attributes if name in HELPERS or (name in READERS and owner in pil)}
    return read | {"ImageFile"} & set(taken)


def test_no_module_of_the_product_has_pil_open_anything() -> None:
    """Neither directly nor through the helpers of other libraries; and the search itself finds what it looks for."""
    assert pil_readers("from PIL import Image as Pil\nPil.open(x)") == {"open"}
    assert pil_readers("import PIL.Image\nPIL.Image.open(x)") == {"open"}
    assert pil_readers("from PIL import ImageFile") == {"ImageFile"}
    assert pil_readers("from PIL import Image\nwave.open(x); Image.fromarray(x)") == set()
    assert pil_readers("frame.to_image()") == {"to_image"}
    root = HERE.parents[2]
    modules = [path for package in PRODUCT for path in (root / package).rglob("*.py")]
    assert len(modules) > 30
    assert {str(path): found for path in modules if (found := pil_readers(path.read_text()))} == {}
