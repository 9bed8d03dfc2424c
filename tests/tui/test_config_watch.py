"""An edited configuration is noticed while a screen is open."""

import asyncio
from contextlib import suppress

from tui.config_watch import SAID, watch_config
from tui.themed_app import ThemedApp


async def told_of(told, edit):
    """Edit, in other words each time, until the watcher, which takes a moment to begin, has told of it."""
    for number in range(200):
        edit(number)
        with suppress(TimeoutError):
            return await asyncio.wait_for(told.get(), 0.1)
    raise AssertionError("never told")


async def test_an_edit_is_told_with_what_the_file_says_and_a_mistake_with_its_sentence(tmp_path):
    file, told, stop = tmp_path / "config.toml", asyncio.Queue(), asyncio.Event()
    file.write_text("")
    watcher = asyncio.create_task(watch_config(file, told.put_nowait, told.put_nowait, stop=stop))
    config = await told_of(told, lambda number: file.write_text(f'[screen]\ntheme = "nord" # {number}\n'))
    assert config.screen.theme == "nord"

    def replace(number):
        aside = tmp_path / ".config.toml.swp"
        aside.write_text(f"[screen]\nthem = 1 # {number}\n")
        aside.replace(file)

    sentence = await told_of(told, replace)
    while not isinstance(sentence, str):
        sentence = await told.get()
    assert "did you mean `theme`?" in sentence
    stop.set()
    await watcher


async def test_theme_and_keys_of_an_edited_configuration_hold_at_once(tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text("")
    monkeypatch.setenv("LONGWATCH_CONFIG", str(file))
    app, told = ThemedApp(theme_folder=tmp_path / "themes"), asyncio.Queue()
    monkeypatch.setattr(app, "notify", lambda text, **_: told.put_nowait(text))
    async with app.run_test():
        other = next(name for name in sorted(app.available_themes) if name != app.theme)
        said = await told_of(told, lambda number: file.write_text(f'[screen]\ntheme = "{other}" # {number}\n'))
        assert said == SAID and app.theme == other
