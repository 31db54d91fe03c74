"""A small server on loopback that speaks /v1/chat/completions and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Asked = dict[str, Any]


@dataclass
class Reply:
    """What the server answers: the content of a chat completion, or a body of its own.

    It waits so many ``seconds`` first; one that ``drips`` sends a byte now and then, and never comes to the end.
    """

    content: str = ""
    status: int = 200
    body: str | None = None
    seconds: float = 0
    drips: bool = False


@dataclass
class ChatServer:
    """A running server. ``answer`` maps the question, as it was asked, to the reply."""

    url: str
    answer: Callable[[Asked], Reply]
    requests: list[Asked] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def everything(self) -> str:
        """All that the server has ever been told."""
        return json.dumps(self.requests, ensure_ascii=False)


def question(request: Asked) -> Asked:
    """The data in a request: texts, keywords, other_topics."""
    asked: Asked = json.loads(request["messages"][1]["content"])
    return asked


def name_by_keywords(request: Asked) -> Reply:
    """A name that follows from the question: its strongest keyword, with a sentence."""
    keyword = question(request)["keywords"][0]
    said = {"label": f"About {keyword}", "description": f"People ask about {keyword}."}
    return Reply(f"```json\n{json.dumps(said)}\n```")


@contextmanager
def chat_server(answer: Callable[[Asked], Reply] = name_by_keywords) -> Iterator[ChatServer]:
    """A server for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.requests.append(request)
            served.keys.add(self.headers["Authorization"])
            reply = served.answer(request) if self.path == "/v1/chat/completions" else Reply(status=404)
            time.sleep(reply.seconds)
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            completion = {
                "id": "c1", "object": "chat.completion", "created": 1, "model": "tiny",
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply.content}}
                ],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }  # fmt: skip
            body = (json.dumps(completion) if reply.body is None else reply.body).encode()
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                while reply.drips and not stopped.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(body)
            except OSError:  # the client did not wait
                pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    stopped = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = ChatServer(f"http://127.0.0.1:{server.server_port}/v1", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
