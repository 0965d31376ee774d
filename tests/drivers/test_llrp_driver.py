import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.llrp import DRIVER, REFUSED_POLLS_MAX, LlrpReader, Settings
from drivers.rfid.llrp_session import KEPT_MAX
from drivers.suite.bench import Bench, running
from drivers.suite.wires import Hear, on_tcp
from protocols.readers.llrp import Message, Param, commands, device
from tests.support.devices.llrp import ScriptedLlrp

TAG = bytes.fromhex("3005fb63ac1f3841ec880467")
OTHER = bytes.fromhex("1fb41f712ac9c37ab79d618173188324001a")
UID, OTHER_UID = TAG.hex().upper(), OTHER.hex().upper()


def driver(link: dict[str, Any], **settings: Any) -> LlrpReader:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, LlrpReader)
    return made


def reads(bench: Bench) -> list[TagRead]:
    return [read for read in bench.readings if isinstance(read, TagRead)]


async def test_a_tag_is_read_with_antenna_rssi_and_arrival_time() -> None:
    reader = ScriptedLlrp(tags=[TAG, OTHER], antenna=3)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) >= 2)
    one, other = reads(bench)
    assert (one.device, one.uid, one.antenna, one.rssi_raw, one.rssi_cdbm) == (
        "gun-1",
        UID,
        3,
        -50,
        -5000,
    )
    assert other.uid == OTHER_UID
    assert bench.ups == [
        "LLRP reader Impinj model 2001002, firmware 5.14.0.240, 4 antenna ports, push"
    ]
    assert bench.noise == []
    assert {direction for direction, _ in bench.frames} == {"device>host", "host>device"}


async def test_the_reader_is_prepared_in_order_and_left_clean() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
    assert reader.names() == [
        "GET_READER_CAPABILITIES",
        "IMPINJ_ENABLE_EXTENSIONS",
        "DELETE_ROSPEC",
        "DELETE_ACCESSSPEC",
        "SET_READER_CONFIG",
        "ADD_ROSPEC",
        "ENABLE_ROSPEC",
        "START_ROSPEC",
        "DISABLE_ROSPEC",
        "DELETE_ROSPEC",
        "CLOSE_CONNECTION",
    ]
    assert not reader.rospecs


async def test_only_an_impinj_is_asked_for_its_extensions() -> None:
    reader = ScriptedLlrp(maker=161, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert "IMPINJ_ENABLE_EXTENSIONS" not in reader.names()
    assert "Impinj" not in json.dumps([repr(m) for m in reader.heard if m.name == "ADD_ROSPEC"])
    assert "Motorola" in bench.ups[0]


async def test_a_polled_reader_is_asked_and_an_empty_field_is_idle() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link:
        gun = driver(link, mode="poll", poll_ms=50)
        async with running(gun) as bench:
            await bench.until(lambda: reader.names().count("GET_REPORT") >= 5)
            assert bench.readings == []
            reader.tags = [TAG, OTHER]
            await bench.until(lambda: bench.uids == {UID, OTHER_UID})
        assert bench.error is None
    (spec,) = [m.body.params[0] for m in reader.heard if m.name == "ADD_ROSPEC"]
    report_spec = spec.first("ROReportSpec")
    assert report_spec is not None
    assert report_spec.number("ro_report_trigger") == 0


async def test_a_reader_that_cannot_be_polled_says_what_to_set() -> None:
    reader = ScriptedLlrp(refuses={"GET_REPORT": (109, "no such message")})
    async with (
        on_tcp(reader.plugged) as link,
        running(driver(link, mode="poll", poll_ms=50)) as bench,
    ):
        await bench.until(lambda: bench.error)
    assert "no such message" in str(bench.error)
    assert "set mode: push" in str(bench.error)
    assert reader.names().count("GET_REPORT") == REFUSED_POLLS_MAX


async def test_a_taken_reader_is_named_with_what_to_do() -> None:
    reader = ScriptedLlrp(attempt=2)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "other_client"
    assert "close the vendor's demo software" in str(bench.error)
    assert bench.ups == []


async def test_somebody_else_who_tries_to_connect_is_told() -> None:
    reader = ScriptedLlrp(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        reader.say(device.event(Param("ConnectionAttemptEvent", {"status": 4})))
        await bench.until(lambda: bench.troubles)
        assert bench.troubles[0].kind == "other_client"
        assert bench.error is None


async def test_keepalives_are_answered_and_three_missed_are_a_lost_reader() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link, keepalive_ms=200)) as bench:
        await bench.until(lambda: reader.names().count("KEEPALIVE_ACK") >= 3)
        assert bench.error is None
        assert {m.message_id for m in reader.heard if m.name == "KEEPALIVE_ACK"} == {98}
        reader.keepalives = False
        await bench.until(lambda: bench.error)
    assert "silent for 3 keepalives" in str(bench.error)


async def test_one_undecodable_message_is_noise_and_costs_nothing() -> None:
    reader = ScriptedLlrp()
    broken = bytes.fromhex("043d0000000f0000000100f00005ff")
    custom = bytes.fromhex("07ff00000011000000010000029a2adead")
    unknown = bytes.fromhex("052c0000000d00000009010203")
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        for odd in (broken, custom, unknown):
            reader.say(odd)
        reader.push(TAG)
        await bench.until(lambda: bench.uids)
        assert bench.error is None
    assert bench.uids == {UID}
    assert any("unknown TV parameter type 127" in reason for reason, _ in bench.noise)
    assert "unknown message type 300" in {reason for reason, _ in bench.noise}
    assert not any(raw == custom for _, raw in bench.noise)


async def test_a_report_split_by_a_slow_network_is_one_report() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        frame = device.report([device.Sight(TAG)])
        for at in range(len(frame)):
            reader.say(frame[at : at + 1])
        await bench.until(lambda: bench.uids)
    assert len(bench.readings) == 1
    assert bench.noise == []


async def test_left_over_rospecs_are_deleted_and_none_is_built_twice() -> None:
    reader = ScriptedLlrp(tags=[TAG], pushes=True)
    reader.rospecs[1] = Param("ROSpec", {"ro_spec_id": 1})
    async with on_tcp(reader.plugged) as link:
        gun = driver(link)
        for _ in range(2):
            async with running(gun) as bench:
                await bench.until(lambda: bench.uids)
                assert list(reader.rospecs) == [1]
                assert reader.states == {1: "Active"}
                reader.unplug()
                await bench.until(lambda: bench.error)
    assert reader.connections == 2


async def test_what_was_reported_before_our_rospec_ran_is_not_read() -> None:
    reader = ScriptedLlrp(tags=[OTHER], pushes=True)

    def plugged(send: Callable[[bytes], None], unplug: Callable[[], None]) -> Hear:
        hear = reader.plugged(send, unplug)
        reader.tags = [TAG]
        return hear

    async with on_tcp(plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.uids == {UID}
    assert any(OTHER in raw for _, raw in bench.frames)


async def test_the_power_is_an_index_of_the_readers_own_table() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link, power_dbm=24, antennas=[2, 4], session=0)) as bench:
            await bench.until(lambda: bench.ups)
        text = repr([m for m in reader.heard if m.name == "ADD_ROSPEC"])
        assert text.count("'transmit_power': 57") == 2
        assert text.count("'hop_table_id': 1") == 2
        assert text.count("'session': 0") == 2
        assert "'antenna_ids': (2, 4)" in text
        async with running(driver(link, power_dbm=31)) as bench:
            await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "power_not_allowed"
    assert "10..30 dBm" in str(bench.error)


async def test_an_antenna_the_reader_does_not_have_is_named() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link, antennas=[5])) as bench:
        await bench.until(lambda: bench.error)
    assert "4 antenna ports and no antenna 5" in str(bench.error)


async def test_a_refused_rospec_says_the_readers_reason() -> None:
    reader = ScriptedLlrp(refuses={"ADD_ROSPEC": (201, "antenna count")})
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "reader refuses ADD_ROSPEC: antenna count (status 201)" in str(bench.error)
    assert reader.names()[-1] == "CLOSE_CONNECTION"


async def test_a_reader_without_events_or_with_unreadable_capabilities_is_used_all_the_same() -> (
    None
):
    reader = ScriptedLlrp(tags=[TAG], refuses={"GET_READER_CAPABILITIES": (109, "no")})
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert "does not tell what it is" in bench.ups[0]


async def test_what_happens_at_the_reader_is_told() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.say(device.event(Param("ReportBufferOverflowErrorEvent")))
        reader.say(device.event(Param("ReaderExceptionEvent", {"message": "PA too hot"})))
        reader.say(device.event(Param("AntennaEvent", {"event_type": 0, "antenna_id": 2})))
        await bench.until(lambda: len(bench.troubles) >= 3)
        assert {trouble.kind for trouble in bench.troubles} == {
            "reads_lost",
            "reader_exception",
            "antenna_missing",
        }
        reader.say(device.event(Param("AntennaEvent", {"event_type": 1, "antenna_id": 2})))
        assert bench.error is None


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Param("ROSpecEvent", {"event_type": 1, "ro_spec_id": 1}), "stopped our ROSpec"),
        (device.CLOSED, "closes the connection"),
    ],
)
async def test_a_reader_that_stops_reading_is_lost(event: Param, said: str) -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.say(device.event(event))
        await bench.until(lambda: bench.error)
    assert said in str(bench.error)


async def test_thousands_of_queued_reports_are_drained_at_the_stop_and_not_emitted() -> None:
    reader = ScriptedLlrp(queued=3000)
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link)) as bench:
            await bench.until(lambda: bench.ups)
        assert bench.readings == []
        names = [name for name, raw in bench.frames if raw[:2] == b"\x04\x04"]
    assert names == ["device>host"], "the farewell was not heard to its end"


async def test_more_reports_than_are_kept_during_a_question_are_told_as_lost() -> None:
    class Flooding(ScriptedLlrp):
        def _answer(self, message: Message) -> None:
            if message.name == "START_ROSPEC":
                for number in range(KEPT_MAX + 10):
                    self.say(device.report([device.Sight(number.to_bytes(12, "big"))]))
            super()._answer(message)

    async with on_tcp(Flooding().plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups and len(bench.readings) >= KEPT_MAX)
    assert "reads_lost" in {trouble.kind for trouble in bench.troubles}
    newest = (KEPT_MAX + 9).to_bytes(12, "big").hex().upper()
    assert newest in bench.uids


async def test_an_epc_of_no_whole_bytes_is_noise_and_no_identity() -> None:
    reader = ScriptedLlrp()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        odd = device.Sight(b"\x12\x30", epc_bits=12)
        reader.say(device.report([odd, device.Sight(TAG)]))
        await bench.until(lambda: bench.readings)
    assert bench.uids == {UID}
    assert "EPC of 12 bits" in bench.noise[0][0]


@pytest.mark.parametrize(
    "settings",
    [
        {"antennas": [1, 1]},
        {"antennas": [0]},
        {"power_dbm": 99},
        {"session": 4},
        {"mode": "x"},
        {"mode": "poll", "poll_ms": 1_001},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver({"tcp": "127.0.0.1:5084"}, **settings)


def test_the_driver_can_read_and_write_memory() -> None:
    made = driver({"tcp": "127.0.0.1:5084"})
    assert isinstance(made, TagMemory)
    assert isinstance(made, TagMemoryWriter)
    assert DRIVER.wire(Settings.model_validate({"link": {"tcp": "a:5084"}})) == "tcp:a:5084"
    assert commands.ROSPEC_ID == 1
