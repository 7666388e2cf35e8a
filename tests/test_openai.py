"""Answers from an OpenAI-compatible endpoint, against a real local server with scripted streams and faults."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests

import config as settings
from tests.conftest import config_for
from tests.upstream import SCRIPTS, Upstream, chunk, refused_url, usage
from vexar.errors import ProviderError
from vexar.native import is_patched
from vexar.providers import Finish, Prompt, Text, Turn, Usage, openai
from vexar.providers.openai import OpenAIProvider

KEY = "sk-5eCr3t"


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch):
    monkeypatch.setattr(openai, "BACKOFF_S", 0.01)


@pytest.fixture
def provider(upstream, make_provider):
    """The provider of the scripted upstream, with its usual time-outs."""
    return make_provider(ai_base_url=upstream.url)


@pytest.fixture
def make_provider(tmp_path):
    made = []

    def make(**values: object) -> OpenAIProvider:
        values = {"ai_api_key": KEY, "ai_model": "m-1", **values}
        made.append(OpenAIProvider(config_for(tmp_path, **values)))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def ask(provider: OpenAIProvider, question: str = "Hi") -> tuple[str, list, str]:
    """The answer to a question: its text, its other pieces, and its error's code ("" for none)."""
    return collect(provider.answer(Prompt(question=question)))


def collect(answer) -> tuple[str, list, str]:
    """What an answer, or the rest of one, says."""
    text, others, code = "", [], ""
    try:
        for piece in answer:
            text, others = (text + piece.text, others) if isinstance(piece, Text) else (text, [*others, piece])
    except ProviderError as problem:
        code = problem.code
    return text, others, code


def run_aside(answer):
    """Collect an answer in a thread of its own; call the result to wait for what `collect` gives."""
    results = []
    thread = threading.Thread(target=lambda: results.append(collect(answer)), daemon=True)
    thread.start()

    def wait():
        thread.join(10)
        assert results, "the answer did not end"
        return results[0]

    return wait


def test_the_question_is_sent_as_the_api_wants_it(upstream, provider):
    history = (Turn("user", "Hello"), Turn("assistant", "Good day"))
    list(provider.answer(Prompt(question="Größe \U0001f600?", system="Be kind.", history=history)))
    assert upstream.requests == [{
        "model": "m-1", "stream": True, "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Good day"}, {"role": "user", "content": "Größe \U0001f600?"},
        ],
    }]
    headers = upstream.headers[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/json"


def test_without_key_and_model_none_is_sent(upstream, make_provider):
    ask(make_provider(ai_base_url=upstream.url, ai_api_key="", ai_model=""))
    assert "authorization" not in upstream.headers[0]
    assert "model" not in upstream.requests[0]


def test_an_image_goes_with_the_question(upstream, provider, tmp_path):
    image = tmp_path / "shoe.png"
    image.write_bytes(b"\x89PNG pixels")
    url = "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    for question, parts in (("Which size?", [{"type": "text", "text": "Which size?"}, part]), ("", [part])):
        list(provider.answer(Prompt(question=question, image_path=str(image))))
        assert upstream.requests[-1]["messages"] == [{"role": "user", "content": parts}]


def test_a_missing_image_does_not_stop_the_question(upstream, provider, tmp_path):
    list(provider.answer(Prompt(question="Which size?", image_path=str(tmp_path / "gone.png"))))
    assert upstream.questions == ["Which size?"]


def test_an_answer_comes_as_text_then_usage_then_its_end(provider):
    pieces = list(provider.answer(Prompt(question="Hi")))
    assert pieces[:2] == [Text("Answer to Hi:"), Text(" one")]
    assert pieces[-2:] == [Usage(prompt_tokens=7, answer_tokens=6), Finish("stop")]


def test_nothing_is_sent_before_the_answer_is_iterated(upstream, provider):
    provider.answer(Prompt(question="Hi"))
    assert upstream.count == 0
    assert upstream.connections == 0


@pytest.mark.parametrize("framing", ["chunked", "close", "5000"])
def test_each_token_is_relayed_as_it_comes(upstream, provider, framing):
    was_seen = threading.Event()

    def script(wire, body):
        wire.head(framing=framing)
        wire.token("first ")
        assert was_seen.wait(10)
        wire.token("second")
        wire.done()
        wire.raw(b"\n" * 5000)

    upstream.script(script)
    pieces = iter(provider.answer(Prompt(question="Hi")))
    assert next(pieces) == Text("first ")
    was_seen.set()
    assert list(pieces) == [Text("second"), Finish("stop")]


LEGAL = {
    "garbage_line": "good again", "huge_token": "x" * 1_000_000, "split_utf8": "größer 日本 \U0001f600",
    "crlf": "one two", "no_done": "one two ", "close_framed": "Answer to [[close_framed]]: one two three four five.",
    "not_streamed": "Answer to [[not_streamed]]: one two three four five.",
}


@pytest.mark.parametrize("name", LEGAL)
def test_an_odd_but_legal_answer_is_understood(provider, name):
    text, others, code = ask(provider, f"[[{name}]]")
    assert (text, others[-1], code) == (LEGAL[name], Finish("stop"), "")


FAULTS = {
    "cut_mid_stream": ("one two ", "upstream_broken"), "reset_mid_stream": ("one two ", "upstream_broken"),
    "short_length": ("one two ", "upstream_broken"), "error_object": ("one two ", "upstream_broken"),
    "status_429": ("", "upstream_unavailable"), "status_429_later": ("", "upstream_unavailable"),
    "status_500": ("", "upstream_unavailable"), "status_400": ("", "upstream_rejected"),
    "empty": ("", "upstream_empty"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_in_its_code_and_the_next_answer_works(provider, name):
    text, others, code = ask(provider, f"[[{name}]]")
    assert (text, code) == FAULTS[name]
    assert Finish("stop") not in others
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


SILENT = {
    "silent": ("", "ai_first_token_timeout_s"), "silent_after_head": ("", "ai_first_token_timeout_s"),
    "dripping": ("", "ai_first_token_timeout_s"), "silent_mid_stream": ("one two ", "ai_token_timeout_s"),
    "comments_mid_stream": ("one two ", "ai_token_timeout_s"),
    "endless": ("tick ", "ai_answer_timeout_s"),
}


@pytest.mark.parametrize("name", SILENT)
def test_silence_ends_by_its_own_clock_and_the_next_answer_works(upstream, make_provider, name):
    def endless(wire, body):
        wire.head()
        while True:
            wire.token("tick ")
            time.sleep(0.02)

    upstream.script(SCRIPTS.get(name, endless))
    said, clock = SILENT[name]
    provider = make_provider(ai_base_url=upstream.url, **{clock: 0.12})
    text, _, code = ask(provider)
    assert code == "upstream_timeout"
    assert text.startswith(said)
    assert upstream.count == 1
    setattr(provider.config, clock, 30)
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


def test_a_slow_reader_is_not_taken_for_a_silent_upstream(upstream, make_provider):
    provider = make_provider(ai_base_url=upstream.url, ai_token_timeout_s=0.25)
    was_seen = threading.Event()

    def script(wire, body):
        wire.head()
        wire.token("first ")
        assert was_seen.wait(10)
        wire.token("second")
        wire.done()

    upstream.script(script)
    pieces = iter(provider.answer(Prompt(question="Hi")))
    next(pieces)
    time.sleep(0.3)  # longer than the token's time: it must not run while nobody reads
    was_seen.set()
    assert next(pieces) == Text("second")


@pytest.mark.parametrize("fault", ["status_429", "status_500"])
def test_two_faults_before_the_first_token_are_retried(upstream, provider, fault):
    upstream.script(fault, fault)
    assert ask(provider) == ("Answer to Hi: one two three four five.", [Usage(7, 6), Finish("stop")], "")
    assert upstream.count == 3
    assert upstream.requests[0] == upstream.requests[2]


def test_after_three_faults_it_is_given_up(upstream, provider):
    upstream.script("status_500", "status_500", "status_500")
    assert ask(provider)[2] == "upstream_unavailable"
    assert upstream.count == 3


def test_a_connection_that_ends_without_an_answer_is_retried(upstream, provider):
    upstream.script(lambda wire, body: wire.cut(), lambda wire, body: None)
    assert ask(provider)[0].startswith("Answer to Hi:")
    assert upstream.count == 3


def test_a_fault_after_the_first_token_is_not_retried(upstream, provider):
    assert ask(provider, "[[cut_mid_stream]]")[2] == "upstream_broken"
    assert upstream.count == 1


def test_an_endpoint_that_refuses_is_unavailable_after_retries(make_provider, caplog):
    assert ask(make_provider(ai_base_url=refused_url()))[2] == "upstream_unavailable"
    assert caplog.text.count("asking again") == 2


def test_a_name_that_leads_nowhere_is_unavailable(make_provider):
    provider = make_provider(ai_base_url=f"http://{'x' * 64}.test/v1", ai_first_token_timeout_s=0.2)
    assert ask(provider)[2] == "upstream_unavailable"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_a_refusal_is_permanent_and_not_asked_again(upstream, provider, status):
    upstream.script(lambda wire, body: wire.json({}, status, Location=f"{upstream.url}/chat/completions"))
    with pytest.raises(ProviderError) as caught:
        list(provider.answer(Prompt(question="Hi")))
    assert (caught.value.code, caught.value.permanent) == ("upstream_rejected", True)
    assert upstream.count == 1


def test_a_retry_after_that_does_not_fit_ends_at_once(upstream, provider):
    upstream.script("status_429_later")
    assert ask(provider)[2] == "upstream_unavailable"
    assert upstream.count == 1


@pytest.mark.parametrize("offset_s", [-60, 3600])
def test_retry_after_may_be_a_date(upstream, provider, offset_s):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=offset_s), usegmt=True)
    upstream.script(lambda wire, body: wire.json({}, 503, Retry_After=moment))
    ask(provider)
    assert upstream.count == (2 if offset_s < 0 else 1)


def test_retry_after_is_waited_for(upstream, make_provider):
    upstream.script(lambda wire, body: wire.json({}, 429, Retry_After=2))
    answer = make_provider(ai_base_url=upstream.url).answer(Prompt(question="Hi"))
    caught = run_aside(answer)
    upstream.wait_for(1)
    assert upstream.count == 1
    answer.cancel()
    assert caught() == ("", [], "")
    assert upstream.count == 1


@pytest.mark.parametrize("value", ["soon", "-5", "nan"])
def test_a_retry_after_without_sense_is_ignored(upstream, provider, value):
    upstream.script(lambda wire, body: wire.json({}, 503, Retry_After=value))
    assert ask(provider)[0].startswith("Answer to Hi:")


@pytest.mark.parametrize(("upstreams", "ours"), [
    ("stop", "stop"), ("length", "length"), ("content_filter", "stop"), ("tool_calls", "stop"), ("eos", "stop"),
])
def test_the_upstreams_finish_reason_is_passed_on(upstream, provider, upstreams, ours):
    def script(wire, body):
        wire.head()
        wire.token("text")
        wire.delta(upstreams)
        wire.done()

    upstream.script(script)
    assert ask(provider) == ("text", [Finish(ours)], "")


@pytest.mark.parametrize("deltas", [
    [{"tool_calls": [{"index": 0, "function": {"name": "find", "arguments": "{}"}}]}], [{"content": " \n"}],
    [{"reasoning_content": "Let me think"}, {"reasoning": "more"}], [],
])
def test_an_answer_without_words_is_empty(upstream, provider, deltas):
    def script(wire, body):
        wire.head()
        for delta in deltas:
            wire.delta(**delta)
        wire.delta("tool_calls")
        wire.done()

    upstream.script(script)
    assert ask(provider) == ("", [], "upstream_empty")


def test_reasoning_and_tool_calls_beside_text_are_ignored(upstream, provider):
    def script(wire, body):
        wire.head()
        wire.delta(role="assistant", content=None)
        wire.delta(reasoning_content="hm")
        wire.delta(content=[{"type": "text", "text": "Yes"}])
        wire.delta(tool_calls=[{"index": 0}])
        wire.event({**chunk(content="no"), "choices": [{"index": 1, "delta": {"content": "no"}}]})
        wire.done()

    upstream.script(script)
    assert ask(provider) == ("Yes", [Finish("stop")], "")


def test_a_message_repeated_at_the_end_is_not_said_twice(upstream, provider):
    def script(wire, body):
        wire.head()
        wire.token("Yes")
        wire.event({"choices": [{"index": 0, "message": {"content": "Yes"}, "finish_reason": "stop"}]})
        wire.done()

    upstream.script(script)
    assert ask(provider) == ("Yes", [Finish("stop")], "")


def test_usage_may_come_with_every_chunk_and_the_last_counts(upstream, provider):
    def script(wire, body):
        wire.head()
        for number in (1, 2):
            wire.event({**chunk(content="x"), "usage": usage(5, number)["usage"]})
        wire.done()

    upstream.script(script)
    assert ask(provider) == ("xx", [Usage(5, 2), Finish("stop")], "")


@pytest.mark.parametrize("end", ["hang", "cut"])
def test_a_finished_answer_needs_no_proper_end(upstream, provider, end, monkeypatch):
    monkeypatch.setattr(openai, "TAIL_TIMEOUT_S", 0.05)

    def script(wire, body):
        wire.head()
        wire.token("all")
        wire.delta("length")
        getattr(wire, end)()

    upstream.script(script)
    assert ask(provider) == ("all", [Finish("length")], "")


def test_an_upstream_that_stays_after_done_holds_nobody(upstream, provider):
    def script(wire, body):
        wire.head()
        wire.token("all")
        wire.raw(b"data: [DONE]\n\n")
        wire.hang()

    upstream.script(script)
    assert ask(provider) == ("all", [Finish("stop")], "")
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


def test_a_compressed_body_is_understood_although_none_was_asked_for(upstream, provider):
    def script(wire, body):
        wire.head(Content_Encoding="gzip")
        wire.raw(gzip.compress(b'data: {"choices": [{"delta": {"content": "small"}}]}\n\n'))
        wire.end()

    upstream.script(script)
    assert ask(provider)[0] == "small"


def test_connections_are_kept_between_answers(upstream, provider):
    for question in ("one", "two", "[[not_streamed]]", "[[no_done]]", "five"):
        ask(provider, question)
    assert upstream.count == 5
    assert upstream.connections == 1


def test_a_kept_connection_that_died_costs_no_answer(upstream, provider):
    def script(wire, body):
        wire.answer(["fine"])
        wire.is_whole = False

    upstream.script(script)
    assert ask(provider)[0] == "fine"
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


def test_many_answers_at_a_time_are_never_mixed(provider):
    waits = [run_aside(provider.answer(Prompt(question=f"Q{number}"))) for number in range(40)]
    for number, wait in enumerate(waits):
        assert wait()[0] == f"Answer to Q{number}: one two three four five."


@pytest.mark.parametrize(("name", "text"), [
    ("silent", ""), ("silent_after_head", ""), ("silent_mid_stream", "one two "), ("comments_mid_stream", "one two "),
])
def test_cancel_ends_a_waiting_answer_and_hangs_up(upstream, provider, name, text):
    is_gone, was_begun = threading.Event(), threading.Event()

    def script(wire, body):
        was_begun.set()
        try:
            SCRIPTS[name](wire, body)
        finally:
            is_gone.set()

    upstream.script(script)
    answer = provider.answer(Prompt(question="Hi"))
    pieces = iter(answer) if text else None
    said = "".join(next(pieces).text for _ in range(2)) if text else ""
    wait = run_aside(pieces or answer)
    assert was_begun.wait(10)
    answer.cancel()
    answer.cancel()
    assert (said, wait()) == (text, ("", [], ""))
    assert is_gone.wait(10)
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


def test_cancel_ends_a_wait_on_a_kept_connection_too(upstream, provider):
    ask(provider)
    answer = provider.answer(Prompt(question="[[silent]]"))
    wait = run_aside(answer)
    upstream.wait_for(2)
    answer.cancel()
    assert wait() == ("", [], "")
    assert upstream.connections == 1


def test_cancel_before_the_start_asks_nothing(upstream, provider):
    answer = provider.answer(Prompt(question="Hi"))
    answer.cancel()
    assert list(answer) == []
    assert upstream.count == 0


def test_cancel_drops_what_had_already_come(upstream, provider):
    def script(wire, body):
        wire.head()
        events = [chunk(content="first "), chunk(content="second"), usage(1, 2)]
        wire.raw(b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n")
        wire.end()

    upstream.script(script)
    answer = provider.answer(Prompt(question="Hi"))
    pieces = iter(answer)
    assert next(pieces) == Text("first ")
    answer.cancel()
    assert list(pieces) == []


def test_a_cancelled_answer_is_not_taken_for_a_complete_one(upstream, provider):
    def script(wire, body):
        wire.head(framing="close")
        wire.token("first ")
        wire.hang()

    upstream.script(script)
    answer = provider.answer(Prompt(question="Hi"))
    pieces = iter(answer)
    next(pieces)
    wait = run_aside(pieces)
    answer.cancel()
    assert wait() == ("", [], "")


def test_a_late_cancel_does_not_cut_the_next_answer_on_the_same_connection(upstream, provider):
    first = provider.answer(Prompt(question="Hi"))
    list(first)
    second = iter(provider.answer(Prompt(question="Next")))
    text = next(second).text
    first.cancel()
    text += "".join(piece.text for piece in second if isinstance(piece, Text))
    assert text == "Answer to Next: one two three four five."
    assert upstream.connections == 1


def test_a_call_that_was_read_to_its_end_lets_go_of_the_connection(upstream, provider):
    url, deadline = f"{upstream.url}/chat/completions", time.monotonic() + 30
    body = b'{"messages": [{"role": "user", "content": "Hi"}]}'
    first, second = provider.session.call(deadline), provider.session.call(deadline)
    first.send("POST", url, headers={}, body=body)
    while first.read():
        pass
    second.send("POST", url, headers={}, body=body)
    first.cancel()
    answer = b"".join(iter(second.read, b""))
    second.close()
    assert answer.endswith(b"[DONE]\n\n")
    assert upstream.connections == 1


def test_a_reader_that_goes_away_hangs_up(upstream, provider):
    is_gone = threading.Event()

    def script(wire, body):
        SCRIPTS["silent_mid_stream"](wire, body)
        is_gone.set()

    upstream.script(script)
    pieces = iter(provider.answer(Prompt(question="Hi")))
    next(pieces)
    pieces.close()
    assert is_gone.wait(10)


def test_logs_and_errors_never_hold_key_question_or_answer(upstream, make_provider, caplog):
    caplog.set_level(logging.DEBUG)
    provider = make_provider(ai_base_url=upstream.url, ai_first_token_timeout_s=0.1, ai_token_timeout_s=0.1)
    written = ""
    for name in sorted(SCRIPTS):
        try:
            list(provider.answer(Prompt(question=f"[[{name}]] where is it?", system="our prompt")))
        except ProviderError as problem:
            written += "".join(map(repr, chain_of(problem)))
    written += caplog.text
    assert "asking again" in written
    assert "Broken(" in written
    for secret in (KEY, "sk-", "where is", "our prompt", "Answer to", "one two", "xxx", "good"):
        assert secret not in written


def chain_of(problem: BaseException | None) -> list[BaseException]:
    """An exception and all that led to it."""
    return [problem, *chain_of(problem.__cause__), *chain_of(problem.__context__)] if problem else []


def test_a_key_that_no_header_can_carry_is_refused_at_the_start(make_provider):
    with pytest.raises(settings.ConfigError, match="VEXAR_AI_API_KEY") as caught:
        make_provider(ai_api_key="sk-\nx")
    assert "sk-" not in str(caught.value)


def test_only_the_settings_decide_where_a_question_goes(upstream, provider, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, refused_url())
    upstream.script(lambda wire, body: wire.json({"choices": []}, Set_Cookie="a=b"))
    ask(provider)
    assert ask(provider, "Next")[0].startswith("Answer to Next:")
    assert upstream.headers[1]["authorization"] == f"Bearer {KEY}"
    assert "cookie" not in upstream.headers[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for localhost, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder / "both.pem")
    return folder / "both.pem"


def make_certificate(path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(),
                                      now - timedelta(days=1), now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem)


@pytest.fixture
def tls_upstream(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Upstream(tls=context) as up:
        yield up


def test_an_unknown_certificate_is_refused_before_anything_is_sent(tls_upstream, make_provider):
    assert ask(make_provider(ai_base_url=tls_upstream.url))[2] == "upstream_unavailable"
    assert tls_upstream.count == 0


def test_tls_has_the_same_answers_clocks_and_cancel(tls_upstream, make_provider, certificate, monkeypatch):
    monkeypatch.setattr("vexar.outbound.fetch.where", lambda: str(certificate))
    provider = make_provider(ai_base_url=tls_upstream.url)
    assert ask(provider)[0].startswith("Answer to Hi:")
    provider.config.ai_token_timeout_s = 0.1
    assert ask(provider, "[[silent_mid_stream]]") == ("one two ", [], "upstream_timeout")
    answer = provider.answer(Prompt(question="[[silent]]"))
    wait = run_aside(answer)
    tls_upstream.wait_for(3)
    answer.cancel()
    assert wait() == ("", [], "")
    provider.config.ai_token_timeout_s = 30
    assert ask(provider, "Next")[0].startswith("Answer to Next:")


@pytest.mark.servers
@pytest.mark.skipif(is_patched(), reason="this is the inner run")
def test_all_of_this_holds_under_gevent():
    code = (
        "from gevent import monkey; monkey.patch_all(); import sys, pytest;"
        "sys.exit(pytest.main([sys.argv[1], '-q', '-x', '-p', 'no:cacheprovider']))"
    )
    inner = subprocess.run([sys.executable, "-c", code, __file__], capture_output=True, text=True, timeout=120)
    assert inner.returncode == 0, inner.stdout[-3000:] + inner.stderr[-1000:]
    assert "1 skipped" in inner.stdout  # it was patched


def test_the_upstream_also_runs_as_a_program_of_its_own(make_provider):
    command = [sys.executable, str(Path(__file__).with_name("upstream.py")), "--tokens", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        url = program.stdout.readline().strip()
        assert ask(make_provider(ai_base_url=url))[0] == "Hi: word1 word2"
        assert requests.get(url.removesuffix("/v1") + "/count", timeout=5).json() == {"count": 1}
        assert requests.get(url.removesuffix("/v1") + "/requests", timeout=5).json()[0]["model"] == "m-1"
        program.kill()
