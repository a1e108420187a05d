"""One round of questions: each asked once, and once more where a whole device stayed silent."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from exporters.probes import ask
from exporters.questions import Key, Question
from exporters.reading import Reading

AT_ONCE = 1000


async def ask_round(asked: Iterable[Question], at_once: int = AT_ONCE) -> AsyncIterator[tuple[Key, Reading]]:
    """Yield readings as they come, then second readings for the devices of which no question was answered.

    One lost packet on a weak link must not look like a dead device. A later reading of a key replaces the first.
    """
    questions = tuple(asked)
    heard: set[str] = set()
    async for question, reading in _ask_all(questions, at_once):
        if reading.heard or not reading.asked:
            heard.add(question.device)
        yield question.key, reading
    silent = tuple(question for question in questions if question.device not in heard)
    async for question, reading in _ask_all(silent, at_once):
        yield question.key, reading


async def _ask_all(questions: tuple[Question, ...], at_once: int) -> AsyncIterator[tuple[Question, Reading]]:
    places = asyncio.Semaphore(at_once)

    async def one(question: Question) -> tuple[Question, Reading]:
        async with places:
            return question, await ask(question.device, question.target, question.module, question.options)

    tasks = [asyncio.create_task(one(question)) for question in questions]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
