"""Commands that change no archive and no rig: is anybody there, what would a reload do, send again."""

import apsw

from gatewayd.commands.office import Office
from gatewayd.commands.schemas import ConfigPlan, Ping, Planned, Pong, RecordsResend, Resending
from gatewayd.commands.terms import Case, Reply, Said, refuse
from gatewayd.settings.load import ConfigProblemsError
from gatewayd.store import ahead
from gatewayd.store.ahead import RESEND_RECORDS_MAX, RESENDS_WAITING_MAX
from gatewayd.store.chain import Issuer
from gatewayd.upstreams.contract import stamp


async def ping(office: Office, _asked: Ping, case: Case) -> Reply:
    """Somebody is."""
    context = office.context
    pong = Pong(
        time=stamp(context.clock),
        version=context.version,
        boot_id=context.boot_id,
        clock=office.keeper.look().quality,
        last_sequence=context.store.last_sequence(),
    )
    return await case.finish(context.store, pong)


async def config_plan(office: Office, _asked: ConfigPlan, case: Case) -> Reply:
    """What a reload would change; secrets are masked."""
    return await case.finish(office.context.store, await _planned(office))


async def _planned(office: Office) -> Said:
    if office.plan is None:
        return refuse("starting")
    try:
        found = await office.plan()
    except ConfigProblemsError as exc:
        mistakes = tuple({"error": line} for line in str(exc).splitlines())
        return refuse("config_wrong", mistakes=mistakes)
    return Planned.model_validate(found.as_json())


async def records_resend(office: Office, asked: RecordsResend, case: Case) -> Reply:
    """Have records sent again to this platform, beside its cursor."""
    store = office.context.store
    last = store.last_sequence()
    count = asked.to_seq - asked.from_seq + 1
    if count < 1 or asked.to_seq > last:
        return await case.finish(store, refuse("no_such_records", last=last))
    if count > RESEND_RECORDS_MAX:
        return await case.finish(store, refuse("too_many_records", most=RESEND_RECORDS_MAX))

    def work(connection: apsw.Connection, issuer: Issuer) -> Reply:
        asked_for = ahead.ask(connection, case.upstream, asked.from_seq, asked.to_seq)
        full = refuse("resends_waiting", most=RESENDS_WAITING_MAX)
        done = Resending(from_seq=asked.from_seq, to_seq=asked.to_seq, records=count)
        return case.settle(connection, issuer, done if asked_for else full)

    return await store.commit(work)
