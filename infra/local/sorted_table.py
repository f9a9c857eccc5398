"""A DynamoDB table in this process whose items are kept in order, per key and per index."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import SecondaryIndex, Table
from moto.dynamodb.models.utilities import dynamo_to_dict

PAGE_BYTES = 1_000_000
"""A page of a query ends here, as in DynamoDB."""

_SCALARS = frozenset({"S", "N", "BOOL", "NULL"})
_SIZE = "counted_bytes"

Position = tuple[Any, ...]
"""Where an item stands within its partition: its range key; in an index, then its own key."""


def plain(value: DynamoType | None) -> Any:
    return None if value is None else value.cast_value


class _Order:
    """The items of a table, or of one index, per partition and in order."""

    def __init__(self, hash_attribute: str, range_attributes: Sequence[str]) -> None:
        self.hash_attribute = hash_attribute
        self.range_attributes = tuple(range_attributes)
        self.partitions: dict[Any, list[Position]] = {}
        self.items: dict[tuple[Any, Position], Item] = {}

    def place(self, attributes: Mapping[str, DynamoType]) -> tuple[Any, Position] | None:
        """Where an item with these attributes belongs; None when it is not in this order."""
        names = (self.hash_attribute, *self.range_attributes)
        if any(name not in attributes for name in names):
            return None
        position = tuple(plain(attributes[name]) for name in self.range_attributes)
        return plain(attributes[self.hash_attribute]), position

    def add(self, place: tuple[Any, Position], item: Item) -> None:
        if place not in self.items:
            insort(self.partitions.setdefault(place[0], []), place[1])
        self.items[place] = item

    def remove(self, place: tuple[Any, Position]) -> None:
        del self.items[place]
        positions = self.partitions[place[0]]
        del positions[bisect_left(positions, place[1])]
        if not positions:
            del self.partitions[place[0]]


def _first(position: Position) -> Any:
    return position[0]


def _bounds(
    positions: list[Position], comparison: str | None, values: Sequence[Any]
) -> tuple[int, int]:
    """The slice of `positions` whose range key fulfils the condition."""
    end = len(positions)
    if comparison is None:
        return 0, end
    match comparison.upper():
        case "=" | "EQ":
            return (
                bisect_left(positions, values[0], key=_first),
                bisect_right(positions, values[0], key=_first),
            )
        case "<" | "LT":
            return 0, bisect_left(positions, values[0], key=_first)
        case "<=" | "LE":
            return 0, bisect_right(positions, values[0], key=_first)
        case ">" | "GT":
            return bisect_right(positions, values[0], key=_first), end
        case ">=" | "GE":
            return bisect_left(positions, values[0], key=_first), end
        case "BETWEEN":
            return (
                bisect_left(positions, values[0], key=_first),
                bisect_right(positions, values[1], key=_first),
            )
        case "BEGINS_WITH":
            start = bisect_left(positions, values[0], key=_first)
            stop = start
            while stop < end and positions[stop][0].startswith(values[0]):
                stop += 1
            return start, stop
        case other:
            raise MockValidationException(f"Invalid operator in a key condition: {other}")


def _page(items: Iterable[Item], limit: int | None) -> tuple[list[Item], bool]:
    """The items of one page, and whether the page ended before they did, or just when."""
    page: list[Item] = []
    size = 0
    for item in items:
        size += _size(item)
        page.append(item)
        if len(page) == limit or size >= PAGE_BYTES:
            return page, True
    return page, False


def _size(item: Item) -> int:
    """The item's bytes, counted once until it is settled anew."""
    kept: int | None = item.__dict__.get(_SIZE)
    if kept is None:
        kept = item.__dict__[_SIZE] = item.size()
    return kept


class Attributes:
    """An item's attributes on their way out of a query. moto would translate them one by one on
    the way; this it hands on as it is, for `shown`."""

    __slots__ = ("held",)

    def __init__(self, item: Item) -> None:
        self.held: Mapping[str, DynamoType] = item.attrs


class _Found:
    """As much of an item as moto's handler looks at in an answer."""

    __slots__ = ("attrs",)

    def __init__(self, item: Item) -> None:
        self.attrs = Attributes(item)


def shown(attributes: Any) -> Any:
    """Attributes as an answer holds them; what is no `Attributes` is so already."""
    if not isinstance(attributes, Attributes):
        return attributes
    return {
        name: {value.type: value.value} if value.type in _SCALARS else dynamo_to_dict(value)
        for name, value in attributes.held.items()
    }


def _projected(index: SecondaryIndex, item: Item) -> Item:
    """The attributes that the index holds. moto's own way parses the item anew."""
    if index.projection["ProjectionType"] == "ALL":
        return item
    names = [*index.table_key_attrs, *index.schema_key_attrs]
    names += index.projection.get("NonKeyAttributes", [])
    held = Item(item.hash_key, item.range_key, {})
    for name in names:
        if name in item.attrs:
            held.attrs[name] = item.attrs[name]
    return held


class SortedTable(Table):
    """A table of moto's whose items are also kept in order, per key and per index."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [self.range_key_attr] if self.range_key_attr is not None else []
        self._own_order = _Order(self.hash_key_attr, own)
        self._orders: dict[str | None, _Order] = {None: self._own_order}
        for index in self.all_indexes():
            hashes = [key["AttributeName"] for key in index.schema if key["KeyType"] == "HASH"]
            ranges = [key["AttributeName"] for key in index.schema if key["KeyType"] == "RANGE"]
            if len(hashes) != 1 or len(ranges) > 1:
                raise MockValidationException(f"{index.name}: one hash and one range key, please")
            self._orders[index.name] = _Order(hashes[0], [*ranges, self.hash_key_attr, *own])
        self._places: dict[tuple[Any, Any], dict[str | None, tuple[Any, Position]]] = {}

    def settle(self, hash_key: DynamoType, range_key: DynamoType | None) -> None:
        """Bring every order in line with what is stored under this key."""
        item = self.get_item(hash_key, range_key)
        if item is not None:
            item.__dict__.pop(_SIZE, None)
        key = (plain(hash_key), plain(range_key))
        before = self._places.pop(key, {})
        after: dict[str | None, tuple[Any, Position]] = {}
        if item is not None:
            for name, order in self._orders.items():
                place = order.place(item.attrs)
                if place is not None:
                    after[name] = place
            self._places[key] = after
        for name, place in before.items():
            if after.get(name) != place:
                self._orders[name].remove(place)
        if item is not None:
            for name, place in after.items():
                self._orders[name].add(place, item)

    def put_item(self, item_attrs: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        item = super().put_item(item_attrs, *args, **kwargs)
        self.settle(item.hash_key, item.range_key)
        return item

    def delete_item(self, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        item = super().delete_item(hash_key, range_key)
        self.settle(hash_key, range_key)
        return item

    def restore(
        self, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None
    ) -> None:
        """Put back what was stored under this key before, or nothing."""
        if item is None:
            super().delete_item(hash_key, range_key)
        elif range_key is not None:
            self.items[hash_key][range_key] = item
        else:
            self.items[hash_key] = item  # type: ignore[assignment]  # as moto itself does
        self.settle(hash_key, range_key)

    def query(  # type: ignore[override]  # the rest is in `conditions`
        self,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        limit: int,
        exclusive_start_key: dict[str, Any],
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: Any = None,
        **conditions: Any,
    ) -> tuple[list[Any], int, dict[str, Any] | None]:
        """One page, read from its place in the order. As in DynamoDB, a page that ends by its
        limit has a last key, whether or not anything follows."""
        if set(conditions) - {"hash_key_conditions", "range_key_conditions"}:
            raise MockValidationException("QueryFilter is not served here; use FilterExpression")
        order = self._orders.get(index_name)
        if order is None:
            raise MockValidationException(
                f"The table does not have the specified index: {index_name}"
            )
        if index_name is not None and consistent_read:
            raise MockValidationException(
                "Consistent reads are not supported on global secondary indexes"
            )
        partition = plain(hash_key)
        positions = order.partitions.get(partition, [])
        values = [plain(value) for value in range_objs]
        start, stop = _bounds(positions, range_comparison, values)
        if exclusive_start_key is not None:
            typed = {name: DynamoType(value) for name, value in exclusive_start_key.items()}
            place = order.place(typed)
            if place is None:
                raise MockValidationException("The provided starting key is invalid")
            if scan_index_forward:
                start = max(start, bisect_right(positions, place[1]))
            else:
                stop = min(stop, bisect_left(positions, place[1]))
        steps = range(start, stop) if scan_index_forward else range(stop - 1, start - 1, -1)
        page, is_cut = _page((order.items[(partition, positions[step])] for step in steps), limit)
        last_key = self._get_last_evaluated_key(page[-1], index_name) if is_cut else None
        scanned = len(page)
        if index_name is not None:
            index = self.get_index(index_name)
            page = [_projected(index, item) for item in page]
        if filter_expression is not None:
            page = [item for item in page if filter_expression.expr(item)]
        if projection_expressions:
            page = [item.project(projection_expressions) for item in page]
        return [_Found(item) for item in page], scanned, last_key

    def least(self, index_name: str) -> Any:
        """The smallest range key of an index over all its partitions; None when it is empty."""
        heads = [positions[0][0] for positions in self._orders[index_name].partitions.values()]
        return min(heads, default=None)
