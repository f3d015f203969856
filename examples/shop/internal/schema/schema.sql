CREATE TABLE IF NOT EXISTS products (
    sku         text   PRIMARY KEY,
    name        text   NOT NULL,
    description text   NOT NULL,
    price_cents bigint NOT NULL CHECK (price_cents > 0)
);

CREATE TABLE IF NOT EXISTS orders (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku         text        NOT NULL REFERENCES products,
    quantity    integer     NOT NULL CHECK (quantity > 0),
    total_cents bigint      NOT NULL,
    status      text        NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'packed')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    packed_at   timestamptz
);

CREATE INDEX IF NOT EXISTS orders_not_packed ON orders (created_at) WHERE status = 'new';

INSERT INTO products (sku, name, description, price_cents) VALUES
    ('tea-green',    'Green tea',     'Sencha from the first harvest, 100 g.',          890),
    ('tea-black',    'Black tea',     'Assam, strong enough for milk, 250 g.',          750),
    ('tea-mint',     'Mint tea',      'Whole leaves, dried in the shade, 50 g.',        490),
    ('pot-iron',     'Iron tea pot',  'Keeps 0.8 litres warm for an hour.',            4900),
    ('cup-stoneware','Stoneware cup', 'Two of them, no two alike.',                    1950),
    ('timer-sand',   'Sand timer',    'Three minutes, no battery.',                     650)
ON CONFLICT (sku) DO UPDATE
    SET name = EXCLUDED.name, description = EXCLUDED.description, price_cents = EXCLUDED.price_cents;
