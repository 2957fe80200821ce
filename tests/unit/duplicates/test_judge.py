"""Levels, evidence, and what is learned."""

import datetime
import math
import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

from rapport.bench import labelled
from rapport.duplicates import apart, compare, features, shipped, weights
from rapport.duplicates.columns import Columns
from rapport.duplicates.compare import (
    CLOSE,
    COMPARE,
    DIFFERENT,
    LOOSE,
    SAME,
    VARIANT,
    any_of,
)  # fmt: skip
from rapport.duplicates.features import ONE, VALUE, Shape
from rapport.duplicates.judge import Judge, strongest
from rapport.duplicates.learn import learn
from rapport.duplicates.rules import Condition, Criterion, Rule
from rapport.duplicates.weights import Weights
from rapport.meta.registry import registry

CONTACT = registry["contact"]
PERSON = next(rule for rule in shipped.switched_on() if rule.key == "contact.contact.person")
SHAPE = Shape(CONTACT, [PERSON])
JUDGE = Judge(PERSON, SHAPE, SHAPE, weights.starting(PERSON))
EVA = {"first_name": "Eva", "last_name": "Stone"}
WORK = {
    "business_phone": "030 1234567", "address1_line1": "Hauptstr. 12", "address1_city": "Berlin",
    "address1_postal_code": "10115",
}  # fmt: skip


def person(company="", **values):
    return SHAPE.prepare(values, {"account": company} if company else {})


def confidence(one, other):
    """Percent, 0 below the threshold."""
    verdict = JUDGE.judge(one, other)
    return verdict.confidence if verdict else 0


@pytest.mark.parametrize(
    ("how", "ours", "theirs", "level"),
    [
        ("name", "robert", "bob", VARIANT),
        ("name", "eva maria", "eva", VARIANT),
        ("name", "e", "eva", VARIANT),
        ("name", "1", "12", DIFFERENT),
        ("name", "stone", "stonne", CLOSE),
        ("name", "eva", "jan", DIFFERENT),
        ("name", "王伟", "王芳", DIFFERENT),
        ("name", "stone 12", "stone 13", DIFFERENT),
        ("text", "frankfurt", "frankfurt am main", VARIANT),
        ("text", "acme works", "acme wroks", CLOSE),
        ("text", "store 12", "store 13", DIFFERENT),
        ("email", "eva.stone@x.example", "eva.ston@x.example", CLOSE),
        ("email", "eva1@x.example", "eva2@x.example", DIFFERENT),
        ("email", "info@x.example", "info@x.example", LOOSE),
        ("email", "wmiller@x.example", "kmiller@x.example", LOOSE),
        ("phone", "30123456", "123456", VARIANT),
        ("phone", "12345678", "12345687", CLOSE),
        ("street", ("12 main st", "12", "main st"), ("main st", "", "main st"), VARIANT),
        ("street", ("12 main st", "12", "main st"), ("7 main st", "7", "main st"), LOOSE),
        ("postcode", "10115", "10151", CLOSE),
        ("day", "19801203", "19800312", VARIANT),
        ("day", "19801231", "19801230", CLOSE),
        ("day", "19801231", "19811230", DIFFERENT),
    ],
)
def test_levels(how, ours, theirs, level):
    found = getattr(compare, how)

    assert (found(ours, theirs), found(theirs, ours), found(ours, ours) in {SAME, LOOSE}) == (
        level, level, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        EVA | WORK,
        {"first_name": "Stone", "last_name": "Eva"} | WORK,
        {"last_name": "Eva Stone"} | WORK,
        {"first_name": "Ewa", "last_name": "Stone-Mill"} | WORK,
        EVA | WORK | {"address1_line1": "", "address1_line2": "Hauptstraße 12"},
    ],
)
def test_same_person(other):
    assert confidence(person("Stone GmbH", **EVA, **WORK), person("Stone", **other)) >= 90


@pytest.mark.parametrize(
    "other",
    [
        {"first_name": "Jan", "last_name": "Mill"},  # colleagues
        {"first_name": "Jan", "last_name": "Stone"},  # a family
        {},
    ],
)
def test_other_person_at_the_same_place(other):
    assert confidence(person("Stone", **EVA, **WORK), person("Stone", **other, **WORK)) == 0


def test_common_name_alone_is_not_enough():
    assert confidence(person(**EVA), person(**EVA)) == 0


def test_nobody_is_nobody():
    assert confidence(person(), person()) == 0
    assert confidence(person("Stone", **WORK), person("Stone", **WORK)) == 0


def test_musts_must_hold_and_blanks_agree_only_where_they_may():
    def rule(ignore_blanks):
        return Rule(
            key="x", name="x", base="contact", matching="contact", threshold=65,
            conditions=(
                Condition(base=("job_title",), matching=("job_title",), must=True,
                          criterion=Criterion.EXACT),
                Condition(base=("nickname",), matching=("nickname",), must=True,
                          criterion=Criterion.EXACT, ignore_blanks=ignore_blanks),
            ),
        )  # fmt: skip

    def said(rule, ours, theirs):
        shape = Shape(CONTACT, [rule])
        judge = Judge(rule, shape, shape, weights.starting(rule))
        verdict = judge.judge(shape.prepare(ours, {}), shape.prepare(theirs, {}))
        return verdict.confidence if verdict else 0

    job, both = {"job_title": "Clerk"}, {"job_title": "CLERK", "nickname": "Evi"}
    assert (said(rule(True), both, both), said(rule(True), job, job)) == (65, 0)
    assert (said(rule(False), job, job), said(rule(False), job, both)) == (65, 0)
    assert said(rule(False), {}, {}) == 0


def test_inactive_records_may_be_left_out():
    rule = Rule(**{**PERSON.__dict__, "exclude_inactive": True})
    judge = Judge(rule, SHAPE, SHAPE, weights.starting(rule))
    ours, theirs = person("Stone", **EVA, **WORK), person("Stone", **EVA, **WORK, state=1)

    assert judge.judge(ours, theirs) is None
    assert strongest([judge, JUDGE], ours, theirs)[0] is JUDGE


def test_weights_survive_being_kept_unless_the_rule_changes():
    people = [person("Stone", first_name=f"A{n % 9}", last_name=f"B{n}") for n in range(60)]
    learned = learn(PERSON, (SHAPE, SHAPE), (people, people), [(people[0], people[1])])
    kept = learned.to_json()

    assert Weights.from_json(kept).to_json() == kept
    assert weights.usable(PERSON, kept).records == 60
    other = Rule(**{**PERSON.__dict__, "conditions": PERSON.conditions[:3]})
    assert weights.usable(other, kept) == weights.starting(other)


def test_nothing_to_learn_from_leaves_what_ships():
    assert learn(PERSON, (SHAPE, SHAPE), ([], []), []) == weights.starting(PERSON)


@pytest.mark.parametrize("colleagues", [1, 12])
def test_place_says_little_where_many_share_one(colleagues):
    dice = random.Random(7)
    letters = "abdefgiklmnoprstu"

    def word():
        return "".join(dice.choices(letters, k=7))

    people, firms = [], 400 // colleagues
    for firm in range(firms):
        place = {
            "address1_line1": f"{firm} {word()} street", "address1_city": word(),
            "address1_postal_code": f"{dice.randrange(10**5):05}",
        }  # fmt: skip
        people += [
            person(f"Firm {word()}", first_name=word(), last_name=word(), **place)
            for _ in range(colleagues)
        ]
    doubles = people[::10]
    both = people + doubles
    pairs = list(zip(people[::10], doubles, strict=True))
    if colleagues > 1:
        pairs += [
            pair for n in range(firms)
            for pair in combinations(people[n * colleagues : (n + 1) * colleagues], 2)
        ]  # fmt: skip
    learned = learn(PERSON, (SHAPE, SHAPE), (both, both), pairs)

    assert (learned.lift > 2, learned.lift < -2) == (colleagues == 1, colleagues > 1)
    assert abs(learned.matches - len(doubles)) < 5


def test_families_are_several_people():
    dice = random.Random(9)

    def word():
        return "".join(dice.choices("abdefgiklmnoprstu", k=7))

    people, families = [], []
    for number in range(100):
        home = {
            "last_name": word(), "address1_line1": f"{number} {word()} street",
            "address1_city": word(), "home_phone": f"{dice.randrange(10**8, 10**9)}",
        }  # fmt: skip
        family = [home | {"first_name": word()} for _ in range(4)]
        people += family
        families += combinations([person(**one) for one in family], 2)
    doubles = [
        (person(**one), person(**one | {"first_name": one["first_name"][: 7 - number % 2]}))
        for number, one in enumerate(people[::8])
    ]
    all_ = [person(**one) for one in people] + [other for _one, other in doubles]
    learned = learn(PERSON, (SHAPE, SHAPE), (all_, all_), families + doubles)
    judge = Judge(PERSON, SHAPE, SHAPE, learned)

    assert [pair for pair in families if judge.judge(*pair)] == []
    assert [pair for pair in doubles if not judge.judge(*pair)] == []


# In the second case 15 pairs in one house say more than 20 doubles.
@pytest.mark.parametrize(("number", "code", "lift"), [(150, "40", 4.5), (20, "", 1.0)])
def test_companies_in_one_house_are_several(number, code, lift):
    rule = next(one for one in shipped.switched_on() if one.key == "account.account.company")
    entity = registry["account"]
    shape, dice = Shape(entity, [rule]), random.Random(4)
    house = {
        "address1_line1": "1 Market Square", "address1_city": "Linz", "address1_postal_code": code,
    }  # fmt: skip

    def word():
        return "".join(dice.choices("abdefgiklmnoprstu", k=9))

    def company(**values):
        return shape.prepare(values, {})

    several = [company(name=word(), **house) for _ in range(6)]
    others = [{"name": word()} | house | {"address1_line1": f"{n} {word()}"} for n in range(200)]
    doubles = [(company(**one), company(**one)) for one in others[:number]]
    all_ = several + [company(**one) for one in others] + [other for _one, other in doubles]
    learned = learn(rule, (shape, shape), (all_, all_), [*combinations(several, 2), *doubles])
    judge = Judge(rule, shape, shape, learned)

    assert learned.lift < lift
    assert [pair for pair in combinations(several, 2) if judge.judge(*pair)] == []
    assert [pair for pair in doubles if not judge.judge(*pair)] == []


def test_number_goes_along_with_who_moves():
    home = EVA | WORK | {"business_phone": "", "mobile_phone": "0170 7654321"}
    away = home | {
        "address1_line1": "Ringstr. 7", "address1_city": "Hamburg", "address1_postal_code": "22041",
    }  # fmt: skip
    other = away | {"mobile_phone": "0151 1928374"}

    assert confidence(person("Acme", **home), person("Globex", **away)) > 70
    assert confidence(person("Acme", **home), person("Globex", **other)) == 0


def test_address_that_very_many_have_teaches_nothing():
    def people(shared):
        dice = random.Random(5)
        return [
            person(
                first_name="".join(dice.choices("abdeiklmnorstu", k=6)),
                last_name="".join(dice.choices("abdeiklmnorstu", k=7)),
                email="noreply@mill.example" if n % 2 and shared else f"p{n}@mill.example",
            )
            for n in range(600)
        ]

    # Ten real doubles, and many who share a key and are two.
    def learned(shared):
        all_ = people(shared)
        pairs = [(one, one) for one in all_[:20:2]]
        pairs += list(zip(all_[1:400:2], all_[3:402:2], strict=True))
        return learn(PERSON, (SHAPE, SHAPE), (all_, all_), pairs)

    with_it, without = learned(True), learned(False)
    email = next(i for i, c in enumerate(PERSON.conditions) if c.criterion is Criterion.EMAIL)
    for level in (SAME, DIFFERENT):
        assert abs(with_it.levels[email][level] - without.levels[email][level]) < 1.0

    judge = Judge(PERSON, SHAPE, SHAPE, with_it)
    one, other = (person(last_name=name, email="noreply@mill.example") for name in ("Lu", "Lu"))
    bits = judge.evidence(judge.levels(one, other), one, other)
    own, another = (person(last_name="Lu", email=f"{n}@mill.example") for n in ("lu", "lu"))
    assert bits < judge.evidence(judge.levels(own, another), own, another) - 3


def test_real_doubles_are_told(real_files):
    found = labelled.read(real_files / "labelled/febrl1_unified.csv")

    assert labelled.judge(found).f1 >= 0.995
    assert labelled.judge(found, without=("birthday",)).f1 >= 0.99


# -- pairs that end early -------------------------------------------------------------------------

WORDS = {
    "first_name": ["", "Eva", "Ewa", "Eva Maria", "Stone", "Jan", "J", "王伟", "Bob", "Robert"],
    "last_name": ["", "Stone", "Stonne", "Eva", "Stone Mill", "Mill"],
    "email": ["", "eva@x.example", "eva@y.example", "ewa@x.example", "info@x.example"],
    "email2": ["", "", "eva@x.example", "jan7000@y.example", "jan7000@z.example"],
    "business_phone": ["", "030 1234567", "030 1234568", "030 7654321", "1234567"],
    "mobile_phone": ["", "0171 9999999", "030 1234567"],
    "address1_line1": ["", "Hauptstr. 12", "Hauptstr. 13", "Mill Lane 4", "--"],
    "address1_line2": ["", "", "Hauptstr. 12", "Floor 2"],
    "address1_city": ["", "Berlin", "Berlim", "Hamburg"],
    "address1_postal_code": ["", "10115", "10151", "10116", "20095"],
    "birthday": ["", datetime.date(1980, 3, 12), datetime.date(1980, 12, 3)],
}
APART = {
    Criterion.EMAIL: ["eva.stone@x.example", "jan7000@y.example", "jan7000@z.example",
                      "a@x.example", "info@stonemill.example", "j.mill@x.example"],
    Criterion.PHONE: ["30123456", "3012345", "71999999", "301234", "99301234", "1234567"],
    Criterion.POSTCODE: ["10115", "20095", "51101", "sw1a1aa", "121", "ab1"],
    Criterion.DATE: ["19800312", "19801203", "19551130", "20000101", "19991231", "19910909"],
    Criterion.COMPANY: ["stone mill", "mill stone", "stone", "millworks", "store 12 north", "no 13",
                        "ab cdef", "lamastadt", "dalostadt"],
    Criterion.CITY: ["berlin", "hamburg", "frankfurt main", "main", "bad ems", "badems", "王伟"],
    Criterion.NAME: ["eva", "eva maria", "robert", "jan", "stone"],
}  # fmt: skip
COMPANIES = ["", "Stone GmbH", "Stone", "Mill Ltd", "Millworks"]


def _judge(chance, learned):
    """A rule of people with blanks and weights as chance has them."""
    conditions = [
        replace(c, ignore_blanks=chance.random() < 0.8) if learned else c
        for c in chance.sample(PERSON.conditions, len(PERSON.conditions))
    ]
    rule = replace(PERSON, conditions=tuple(conditions), threshold=chance.choice([50, 70, 95]))
    start = weights.starting(rule)
    if learned:
        some = [
            (0.0, *sorted((chance.uniform(-6, 12) for _ in range(5)), reverse=True))
            for _ in conditions
        ]
        start = replace(
            start,
            levels=tuple(some),
            rare=tuple(chance.uniform(-1, 3) for _ in conditions),
            frequent=tuple({"eva": chance.uniform(-5, 0), "berlin": -2.0} for _ in conditions),
            kin=tuple((0.0, *(chance.uniform(0, 6) for _ in range(5))) for _ in conditions),
            prior=chance.uniform(-20, -6),
            lift=chance.uniform(-9, 1),
        )
    shape = Shape(CONTACT, [rule])
    return Judge(rule, shape, shape, start), shape


def test_pairs_that_end_early_would_not_have_come_to_the_threshold():
    chance = random.Random(3)
    found = Counter()
    for number in range(40):
        judge, shape = _judge(chance, learned=number % 4 > 0)
        share = judge.rule.threshold / 100
        needed = math.log2(share / (1 - share)) - judge.weights.prior
        values = [{n: chance.choice(some) for n, some in WORDS.items()} for _ in range(16)]
        names = [{"account": chance.choice(COMPANIES)} for _ in values]
        people = [shape.prepare(*one) for one in zip(values, names, strict=True)]
        told = shape.glances(Columns(CONTACT, values, names))
        glances, parts = [*map(shape.seen, told)], [one.split(VALUE) for one in told]
        for one, other in combinations(range(len(people)), 2):
            ours, theirs = people[one], people[other]
            bits = judge.evidence(judge.levels(ours, theirs), ours, theirs)
            said = judge.judge(ours, theirs) is not None
            assert said == (bits >= needed)
            may_be = judge.may_be(glances[one], glances[other])
            are_apart = judge.are_apart(parts[one], parts[other])
            assert not said or (may_be and not are_apart)
            found[said, may_be, are_apart] += 1
    assert min(found[True, True, False], found[False, False, True]) > 200


def test_what_is_told_apart_quickly_is_different():
    chance = random.Random(5)
    found = Counter()
    for criterion, texts in APART.items():
        differ, compare = apart.by(criterion), COMPARE[criterion]
        for one, other in combinations([*texts, *(_damaged(chance, one) for one in texts * 4)], 2):
            said = differ(one, other)
            assert not said or compare(one, other) == DIFFERENT, (one, other)
            found[criterion, said] += 1
        bags = ONE.join(texts[:2]), ONE.join(texts[2:4])
        best = any_of(compare)(texts[:2], texts[2:4])
        assert not differ(*bags) or best == DIFFERENT
    assert min(found.values()) > 4
    assert len(found) == 2 * len(APART)


def _damaged(chance, text):
    """With one or two typing errors."""
    for _ in range(chance.choice((1, 1, 2))):
        at, sign = chance.randrange(len(text)), chance.choice(text)
        text = chance.choice((
            text[:at] + sign + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + sign + text[at + 1 :],
            text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
        )) or text  # fmt: skip
    return " ".join(text.split()) or "x"


def test_glance_tells_the_same_as_the_record():
    shape = Shape(CONTACT, [rule for rule in shipped.switched_on() if rule.base == "contact"])
    values = [
        {"first_name": "Éva", "last_name": "Stone-Mill", "email": "E@x.example",
         "email2": "f@x.example", "business_phone": "+49 30 1234567",
         "birthday": datetime.date(1980, 3, 12), "address1_city": "Berlin",
         "address1_line1": "Hauptstr. 12"},
        {"state": 1},
    ]  # fmt: skip
    names = [{"account": "Stone GmbH"}, {}]

    glances = shape.glances(Columns(CONTACT, values, names))
    for one, titles, glance in zip(values, names, glances, strict=True):
        whole, seen = shape.prepare(one, titles), shape.seen(glance)
        told = slice(1, shape.glanced + 1)
        assert [one or () for one in seen[told]] == [one or () for one in whole[told]]
        assert [bool(one) for one in seen] == [bool(one) for one in whole[: len(seen)]]


def test_texts_of_a_glance_tell_who_is_the_same_as_itself():
    rule = next(rule for rule in shipped.switched_on() if rule.key == "contact.contact.email")
    among = replace(rule.conditions[0], base=("email", "email2"), matching=("email",))
    aside = replace(among, base=("email",), matching=("email2",))
    rules = [rule, replace(rule, exclude_inactive=True)]
    rules += [replace(rule, conditions=(one,)) for one in (among, aside)]
    shape = Shape(CONTACT, rules)
    values = [
        {"email": "eva@x.example", "last_name": "Stone"},
        {"email": "info@x.example", "last_name": "Stone"},
        {"email": "eva@x.example", "email2": "eva.stone@x.example"},
        {"email2": "eva@x.example", "business_phone": "030 1234567"},
        {"email": "eva@x.example", "state": 1},
        {"last_name": "Stone"},
    ]
    columns = Columns(CONTACT, values, [{}] * len(values))

    sure = Counter()
    for rule in rules:
        judge = Judge(rule, shape, shape, weights.starting(rule))
        for own, glance in zip(values, shape.glances(columns), strict=True):
            record, texts = shape.prepare(own, {}), glance.split(VALUE)
            if judge.knows_by_glance and judge.knows_texts(texts):
                assert judge.knows(record)
                assert judge.judge(record, record)
                sure[rule.key, rule.exclude_inactive, own["email"], own.get("state", 0)] += 1
    # Twice by the e-mail address, as one and as one of several; a box that many share is not sure.
    assert sure["contact.contact.email", False, "eva@x.example", 0] == 4
    assert sure["contact.contact.email", True, "eva@x.example", 1] == 0
    assert not any(email == "info@x.example" for _key, _active, email, _state in sure)


@pytest.mark.parametrize("criterion", sorted(set(Criterion) - compare.LESS_THAN_ITSELF))
def test_a_value_is_the_same_as_itself(criterion):
    condition = Condition(base=("description",), matching=("description",), criterion=criterion)
    normal = features.normaliser(features.of_condition(condition, ("description",), False))
    for text in ("Hauptstr. 12", "info", "x.example", "030 1234567", "J", "1980-01-31", "王"):
        if one := normal(text):
            assert COMPARE[criterion](one, one) == SAME
