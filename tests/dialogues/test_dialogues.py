"""Every dialogue in this folder is played against a whole service, scene by scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dialogues.script import Scene, read_scenes
from tests.dialogues.stage import play

FOLDER = Path(__file__).parent


def all_scenes() -> list[object]:
    found = []
    for file in sorted(FOLDER.rglob("*.txt")):
        name = file.relative_to(FOLDER).with_suffix("")
        found += [pytest.param(scene, id=f"{name}: {scene.title}") for scene in read_scenes(file)]
    return found


@pytest.mark.parametrize("scene", all_scenes())
async def test_dialogue(scene: Scene) -> None:
    await play(scene)
