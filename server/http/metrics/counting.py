"""What happens → counters and histograms.

Names are those of the OpenTelemetry conventions for generative AI where these have one; the rest begin with `kb_`.
Invariant: labels are words of ours, names of models and codes of errors, so there are few.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from kb.values.happenings import (
    ChildRestarted,
    EngineFailed,
    FileEnded,
    Happening,
    IndexExchanged,
    LooksTaken,
    PersonalDataHidden,
    QuestionEnded,
    SearchEnded,
    VectorAsked,
)

# The conventions' own buckets end at 10 s and 82 s; a model on a processor may take longer to read a prompt.
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68)
TOKEN_SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)
SEARCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
FILE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0)

_MODEL = ("gen_ai_operation_name", "gen_ai_request_model")


class Counting:
    """Counts what it is told of; safe for use by several threads.

    Args:
        registry: To which the metrics are added.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._questions = Counter(
            "kb_questions", "Questions, by how they went.", ("kind", "effort", "model", "outcome"), registry=registry
        )
        self._duration = Histogram(
            "gen_ai_server_request_duration_seconds",
            "From question to the end of its answer.",
            (*_MODEL, "error_type"),
            buckets=SECONDS,
            registry=registry,
        )
        self._first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "From question to the first word of reasoning or answer.",
            _MODEL,
            buckets=SECONDS,
            registry=registry,
        )
        self._token_seconds = Histogram(
            "gen_ai_server_time_per_output_token_seconds",
            "From one token of reasoning or answer to the next.",
            _MODEL,
            buckets=TOKEN_SECONDS,
            registry=registry,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of a question: input is what the model was given, output what it wrote.",
            (*_MODEL, "gen_ai_token_type"),
            buckets=TOKENS,
            registry=registry,
        )
        self._reused = Counter(
            "kb_reused_tokens", "Tokens given to a model that it knew from before.", ("model",), registry=registry
        )
        self._queue = Histogram("kb_queue_seconds", "How long others came before.", buckets=SECONDS, registry=registry)
        self._looks = Counter("kb_looks", "Looks into a model: is it there, is it borne out?", registry=registry)
        self._personal = Counter(
            "kb_personal_data_hidden", "Personal data that was hidden.", ("where", "kind"), registry=registry
        )
        self._search = Histogram(
            "kb_search_seconds", "Searches, by part.", ("part",), buckets=SEARCH_SECONDS, registry=registry
        )
        self._cache = Counter("kb_cache", "Asked of a cache.", ("cache", "result"), registry=registry)
        self._files = Counter("kb_files", "Files that indexing has done with.", ("outcome",), registry=registry)
        self._file_bytes = Counter("kb_file_bytes", "Their bytes.", registry=registry)
        self._file_chunks = Counter("kb_file_chunks", "Pieces cut from them.", registry=registry)
        self._file_seconds = Histogram(
            "kb_file_seconds", "Work on a file, by step.", ("step",), buckets=FILE_SECONDS, registry=registry
        )
        self._children = Counter(
            "kb_child_restarts", "Child processes that ended by themselves.", ("child",), registry=registry
        )
        self._engine_errors = Counter(
            "kb_remote_engine_errors", "Failures of an engine on a server.", ("error_type",), registry=registry
        )
        self._generations = Counter(
            "kb_index_generations", "Vector indexes that took the place of another.", registry=registry
        )
        self._show_zeros()

    def __call__(self, happening: Happening) -> None:
        """Counts."""
        match happening:
            case QuestionEnded():
                self._question(happening)
            case SearchEnded(seconds, parts):
                for name, spent in {**parts, "rest": seconds - sum(parts.values())}.items():
                    self._search.labels(name).observe(spent)
            case VectorAsked(was_known):
                self._cache.labels("question_vector", "hit" if was_known else "miss").inc()
            case LooksTaken(count):
                self._looks.inc(count)
            case PersonalDataHidden(where, counts):
                for kind, count in counts.items():
                    self._personal.labels(where, kind).inc(count)
            case ChildRestarted(child):
                self._children.labels(child).inc()
            case EngineFailed(error):
                self._engine_errors.labels(error).inc()
            case IndexExchanged():
                self._generations.inc()
            case FileEnded():
                self._file(happening)

    def _question(self, ended: QuestionEnded) -> None:
        model = ("chat", ended.model or "none")
        self._questions.labels(ended.kind, ended.thinking, model[1], ended.outcome).inc()
        self._duration.labels(*model, ended.error).observe(ended.seconds)
        self._queue.observe(ended.queue_seconds)
        if ended.first_seconds is not None:
            self._first_token.labels(*model).observe(ended.first_seconds)
        spent = ended.timings
        written = spent.reasoning_tokens + spent.answer_tokens
        if not spent.prompt_tokens and not written:
            return
        self._tokens.labels(*model, "input").observe(spent.prompt_tokens)
        self._tokens.labels(*model, "output").observe(written)
        self._reused.labels(model[1]).inc(spent.reused_tokens)
        self._cache.labels("prompt", "hit" if spent.reused_tokens else "miss").inc()
        if written > 1 and ended.first_seconds is not None:
            self._token_seconds.labels(*model).observe((ended.seconds - ended.first_seconds) / (written - 1))

    def _file(self, ended: FileEnded) -> None:
        self._files.labels(ended.outcome).inc()
        self._file_bytes.inc(ended.size_bytes)
        self._file_chunks.inc(ended.chunks)
        if ended.outcome == "indexed":
            self._file_seconds.labels("read").observe(ended.read_seconds)
            self._file_seconds.labels("index").observe(ended.index_seconds)

    def _show_zeros(self) -> None:
        """What has not happened yet is 0, so that a first time is seen as a change."""
        for child in ("engine", "reader"):
            self._children.labels(child)
        for outcome in ("indexed", "moved", "unreadable", "quarantined"):
            self._files.labels(outcome)
        for cache in ("question_vector", "prompt"):
            for result in ("hit", "miss"):
                self._cache.labels(cache, result)
        self._engine_errors.labels("model_unreachable")
