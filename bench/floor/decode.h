/* A naive columnar decode: one switch per cell, doubling buffers, validity bytes.
 * Fixed-width values are byte-swapped, texts copied with 32-bit offsets,
 * one-dimensional int4 arrays become offsets and values. */

enum kind { SWAP1, SWAP2, SWAP4, SWAP8, UUID, TEXT, JSONB, INT4_ARRAY };

struct column {
    enum kind kind;
    uint8_t *data, *valid;
    uint32_t *offsets;
    size_t used, size, rows, rows_size;
};

static struct column *columns;
static int column_count;

static inline uint32_t be32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static void describe(const uint8_t *body) {
    column_count = be16(body);
    columns = calloc((size_t)column_count, sizeof *columns);
    const uint8_t *p = body + 2;
    for (int i = 0; i < column_count; i++) {
        p += strlen((const char *)p) + 1;
        switch (be32(p + 6)) {
        case 16: columns[i].kind = SWAP1; break;                                   /* bool */
        case 21: columns[i].kind = SWAP2; break;                                   /* int2 */
        case 23: case 26: case 700: case 1082: columns[i].kind = SWAP4; break;     /* int4 oid float4 date */
        case 20: case 701: case 1114: case 1184: columns[i].kind = SWAP8; break;   /* int8 float8 timestamp(tz) */
        case 2950: columns[i].kind = UUID; break;
        case 3802: columns[i].kind = JSONB; break;
        case 1007: columns[i].kind = INT4_ARRAY; break;
        default: columns[i].kind = TEXT;
        }
        p += 18;
    }
}

static void reset_columns(void) {
    for (int i = 0; i < column_count; i++) columns[i].used = columns[i].rows = 0;
}

static void *grown(void *old, size_t size) {
    void *p = realloc(old, size);
    if (!p) die("memory");
    return p;
}

static inline uint8_t *reserve(struct column *c, size_t n) {
    if (c->used + n > c->size) {
        c->size = 2 * (c->used + n) + 4096;
        c->data = grown(c->data, c->size);
    }
    uint8_t *at = c->data + c->used;
    c->used += n;
    return at;
}

static inline void append(struct column *c, const uint8_t *cell, uint32_t n) {
    static const uint8_t zeros[16];
    int null = n == UINT32_MAX;
    if (null) {
        static const size_t widths[] = {1, 2, 4, 8, 16};
        cell = zeros;
        n = c->kind <= UUID ? (uint32_t)widths[c->kind] : 0;
    }
    switch (c->kind) {
    case SWAP1: *reserve(c, 1) = cell[0]; break;
    case SWAP2: { uint16_t v = be16(cell); memcpy(reserve(c, 2), &v, 2); break; }
    case SWAP4: { uint32_t v = be32(cell); memcpy(reserve(c, 4), &v, 4); break; }
    case SWAP8: {
        uint64_t v;
        memcpy(&v, cell, 8);
        v = __builtin_bswap64(v);
        memcpy(reserve(c, 8), &v, 8);
        break;
    }
    case UUID: memcpy(reserve(c, 16), cell, 16); break;
    case TEXT: memcpy(reserve(c, n), cell, n); break;
    case JSONB: if (n) memcpy(reserve(c, n - 1), cell + 1, n - 1); break;
    case INT4_ARRAY:
        if (n >= 20)
            for (uint32_t i = 0, length = be32(cell + 12), at = 20; i < length && at + 8 <= n; i++, at += 8) {
                uint32_t v = be32(cell + at + 4);
                memcpy(reserve(c, 4), &v, 4);
            }
    }
    if (c->rows == c->rows_size) {
        c->rows_size = 2 * c->rows_size + 4096;
        c->valid = grown(c->valid, c->rows_size);
        c->offsets = grown(c->offsets, c->rows_size * sizeof *c->offsets);
    }
    c->valid[c->rows] = (uint8_t)!null;
    if (c->kind > UUID) c->offsets[c->rows] = (uint32_t)c->used;
    c->rows++;
}

static void decode_row(const uint8_t *body) {
    const uint8_t *p = body + 2;
    for (int i = 0; i < column_count; i++) {
        uint32_t n = be32(p);
        append(&columns[i], p + 4, n);
        p += 4 + (n == UINT32_MAX ? 0 : n);
    }
}
