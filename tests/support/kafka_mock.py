"""A FAKE Kafka cluster: librdkafka's mock broker. No real broker is in the package registries.

It is the fake that librdkafka itself is tested with: a C program that speaks the Kafka protocol
over TCP (metadata, idempotent produce, fetch), keeps what it took in memory, and refuses what it is
told to refuse. It is no Kafka: it has one disk-less broker, no access control and no topic limits.
API: rdkafka_mock.h of librdkafka 2.x.
"""

import ctypes
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

TOPIC = "gatewayd.records"
PRODUCE = 0
"""Kafka protocol: the API key of a Produce request."""
TOPIC_AUTHORIZATION_FAILED = 29
REFUSALS_MAX = 10_000
PRODUCER = 0


def _library() -> Any:
    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    (found,) = folder.glob("librdkafka-*")
    library = ctypes.CDLL(str(found))
    pointer, text, size, number = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_int,
    )
    for name, result, arguments in (
        ("rd_kafka_conf_new", pointer, []),
        ("rd_kafka_conf_set", number, [pointer, text, text, text, size]),
        ("rd_kafka_new", pointer, [number, pointer, text, size]),
        ("rd_kafka_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
        ("rd_kafka_mock_cluster_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
        ("rd_kafka_mock_topic_create", number, [pointer, text, number, number]),
        ("rd_kafka_mock_clear_request_errors", None, [pointer, ctypes.c_int16]),
        (
            "rd_kafka_mock_push_request_errors_array",
            None,
            [pointer, ctypes.c_int16, size, ctypes.POINTER(number)],
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class KafkaMock:
    """One mock broker with one topic of three partitions."""

    def __init__(self) -> None:
        self._library = _library()
        words = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(conf, b"log_level", b"0", words, len(words))
        self._handle = self._library.rd_kafka_new(PRODUCER, conf, words, len(words))
        assert self._handle, words.value
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, 1)
        self.make_topic(TOPIC)
        self.address: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)

    @property
    def port(self) -> int:
        """The TCP port on loopback."""
        return int(self.address.rpartition(":")[2])

    def make_topic(self, name: str) -> None:
        """One more topic of three partitions."""
        made = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), 3, 1)
        assert made == 0

    def refuse(self, code: int = TOPIC_AUTHORIZATION_FAILED, times: int = REFUSALS_MAX) -> None:
        """Answer that many Produce requests with an error."""
        codes = (ctypes.c_int * times)(*([code] * times))
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, PRODUCE, times, codes)

    def allow(self) -> None:
        """Take everything again."""
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, PRODUCE)

    def messages(self, partition: int, topic: str = TOPIC) -> list[Message]:
        """Everything in a partition, read by an independent client (librdkafka)."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "look", "log_level": 0})
        try:
            place = TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([place])
            found: list[Message] = []
            while len(found) < end:
                found += _good(consumer.consume(end - len(found), timeout=1))
            return found
        finally:
            consumer.close()


def _good(messages: list[Message]) -> list[Message]:
    for message in messages:
        error: KafkaError | None = message.error()
        assert error is None, error
    return messages
