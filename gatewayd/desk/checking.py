"""Answer a check: the pre-fill check of a cylinder or a batch, the post-fill check of a fill."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from gatewayd.desk.forms import Outcome, weigh
from gatewayd.desk.sessions import Sessions
from gatewayd.desk.terms import Answered, Answers, By, No, no
from gatewayd.rigs.model import NOBODY, Identity
from gatewayd.rigs.people import prefill
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.model import RigSettings
from gatewayd.store import people
from gatewayd.store.model import RecordDraft
from gatewayd.store.people_model import Check, Due, Operator


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a check is about: `key` as the store keeps it, and what its record says."""

    scope: str
    key: str
    data: Mapping[str, Any]
    fill_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One answer that may be kept: which form, about what, by whom (None: nobody of the list)."""

    asked: Answers
    form: FormSettings
    subject: _Subject
    operator: Operator | None


class Checking(Sessions):
    """Checks that people answer."""

    async def answer_check(
        self, answers: Answers, *, by: By, here: Identity | None = None
    ) -> Answered | No:
        """Answer a form at a rig; a newer answer takes the place of the last one.

        What is not said to be of another cylinder is of the one that stands there now, or that was
        `here`: never of one that comes while this request waits for its turn.
        A passed pre-fill check counts for `valid_min` minutes and one fill, a failed check until a
        new one passes. Refuses `no_rig no_form not_this_form unknown_operator barred may_not_answer
        no_cylinder unknown_cylinder no_batch no_fill unknown_item bad_answer unanswered
        store_unavailable`.
        """
        who = here or self.standing(answers.rig_id)
        return await self._one(partial(self._answer, answers, who, by))

    def standing(self, rig_id: str) -> Identity:
        """Who stands at a rig now; nobody at one that does not run."""
        rig = self.rigs.get(rig_id)
        return NOBODY if rig is None else rig.state.identity

    def waiting_fills(self, rig_id: str) -> tuple[Due, ...]:
        """The fills of a rig whose post-fill check is open, oldest first; raises StoreError."""
        return self._store.due_at(rig_id)

    def precheck(self, rig_id: str) -> str:
        """How the rig's own pre-fill check of what stands there is: `none passed failed`.

        Empty where the rig asks for none; raises StoreError.
        """
        rig, running = self.settings.rigs.get(rig_id), self.rigs.get(rig_id)
        if rig is None or running is None or rig.precheck is None:
            return ""
        wall = self._clock.wall()
        for check in prefill(self._store, rig_id, running.state.identity):
            if check.form == rig.precheck.form and (check.failed or check.passed(wall)):
                return "failed" if check.failed else "passed"
        return "none"

    async def _answer(self, asked: Answers, who: Identity, by: By) -> Answered | No:
        rig = self._rig(asked.rig_id)
        if isinstance(rig, No):
            return rig
        form = self._form(asked, rig)
        if isinstance(form, No):
            return form
        operator = self._answering(asked)
        if isinstance(operator, No):
            return operator
        subject = self._subject(asked, form, who)
        if isinstance(subject, No):
            return subject
        roles = operator.roles if operator else ()
        name = (operator.name or operator.id) if operator else ""
        outcome = weigh(form, asked.answers, roles=roles, who=name)
        if isinstance(outcome, No):
            return outcome
        return await self._keep(_Case(asked, form, subject, operator), outcome, by)

    def _form(self, asked: Answers, rig: RigSettings) -> FormSettings | No:
        form = self.settings.checks.get(asked.form)
        if form is None:
            return no("no_form", form=asked.form, known=", ".join(self.settings.checks) or "-")
        used = [each.form for each in (rig.precheck, rig.postcheck) if each is not None]
        if asked.form not in used:
            known = ", ".join(used) or "-"
            return no("not_this_form", rig=asked.rig_id, form=asked.form, known=known)
        return form

    def _answering(self, asked: Answers) -> Operator | No | None:
        """Who answers: the operator named, else whoever is logged in, else nobody of the list."""
        if asked.operator is not None:
            return self._by_id(asked.operator)
        session = self.logged_in(asked.rig_id)
        return None if session is None else self._by_id(session.operator_id)

    def _subject(self, asked: Answers, form: FormSettings, who: Identity) -> _Subject | No:
        if form.scope == "batch":
            batch = self._store.open_batch(asked.rig_id)
            if batch is None:
                return no("no_batch", rig=asked.rig_id)
            data = {"cylinder": None, "batch": batch.number, "fill_id": None}
            return _Subject("batch", batch.key, data)
        if form.stage == "postfill":
            return self._fill(asked)
        return self._cylinder(asked, who)

    def _cylinder(self, asked: Answers, who: Identity) -> _Subject | No:
        here = who.cylinder
        if asked.cylinder is not None and (here is None or here.code != asked.cylinder):
            found = self._store.cylinder(asked.cylinder)
            if found is None:
                return no("unknown_cylinder", cylinder=asked.cylinder)
            named = {"code": found.code, "tag_uid": None}
        elif here is None:
            return no("no_cylinder", rig=asked.rig_id)
        else:
            named = {"code": here.code, "tag_uid": who.uid}
        batch = self._store.open_batch(asked.rig_id)
        number = None if batch is None else batch.number
        code = str(named["code"])
        return _Subject("cylinder", code, {"cylinder": named, "batch": number, "fill_id": None})

    def _fill(self, asked: Answers) -> _Subject | No:
        """The fill that a post-fill check is about: one that waits, or one that is checked again."""
        waiting = self._store.due_at(asked.rig_id)
        codes = {due.fill_id: due.cylinder_code for due in waiting}
        if asked.cylinder is not None:
            for check in self._store.checks(asked.cylinder):
                if check.fill_id is not None and check.rig_id == asked.rig_id:
                    codes.setdefault(check.fill_id, asked.cylinder)
            codes = {fill: code for fill, code in codes.items() if code == asked.cylinder}
        fill_id = asked.fill_id or next(iter(codes), None)
        if fill_id not in codes:
            return no("no_fill", rig=asked.rig_id)
        named = {"code": codes[fill_id], "tag_uid": None}
        data = {"cylinder": named, "batch": None, "fill_id": fill_id}
        return _Subject("cylinder", codes[fill_id], data, fill_id)

    async def _keep(self, case: _Case, outcome: Outcome, by: By) -> Answered:
        wall = self._clock.wall()
        until = wall + timedelta(minutes=case.form.valid_min)
        data = {
            **case.subject.data,
            **_asked(case),
            "result": "failed" if outcome.failed else "passed",
            "failed": list(outcome.failed),
            "items": list(outcome.items),
            "answered_at": self._stamp(wall),
            "valid_until": None if outcome.failed else self._stamp(until),
        }
        draft = self._draft("check", case.asked.rig_id, wall, by, data)
        check = _check(case, outcome, draft, until)
        scope = case.subject.scope
        await self._store.commit(
            lambda connection, issuer: people.answer(connection, issuer, check, scope, draft)
        )
        self._log.info("desk.checked", rig=check.rig_id, form=check.form, failed=check.failed)
        for rig_id in self.rigs:
            self._changed(rig_id)
        return Answered(draft.id, case.subject.key, outcome.failed)


def _asked(case: _Case) -> dict[str, Any]:
    """What was asked of whom, as the record keeps it."""
    form, operator = case.form, case.operator
    return {
        "form": case.asked.form,
        "stage": form.stage,
        "scope": form.scope,
        "title": {"zh": form.title.zh, "en": form.title.en},
        "source": form.source,
        "operator": None if operator is None else operator.shown(),
    }


def _check(case: _Case, outcome: Outcome, draft: RecordDraft, until: datetime) -> Check:
    return Check(
        subject=case.subject.key,
        form=case.asked.form,
        stage=case.form.stage,
        rig_id=draft.rig_id,
        record_id=draft.id,
        answered_at=draft.time,
        valid_until=until,
        failed=outcome.failed,
        facts=outcome.facts,
        operator=draft.data["operator"],
        fill_id=case.subject.fill_id,
    )
