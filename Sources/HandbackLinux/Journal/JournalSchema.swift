internal import HandbackCore

/// The journal's format: one SQLite file, format version in `user_version`.
///
/// Columns are typed by `CHECK`, since STRICT tables need SQLite 3.37 and boards have 3.31. A
/// row that ends loses its secret in the same statement; the checks make sure of it. `restored`
/// marks a row that was brought back from its second copy, or turned out to be older than it
/// should be: attempts may have been made that it doesn't count.
enum JournalSchema {
  /// "HBJ1": tells the journal from other programs' databases (`PRAGMA application_id`).
  static let applicationID: Int64 = 0x4842_4A31
  static let version: Int64 = 3
  /// The first whose rows have seals.
  static let firstSealed: Int64 = 3

  /// What brings a journal of each older version to the next; run in one transaction, from the
  /// journal's own version on.
  ///
  /// - 2: what is known of the server belongs to one address: another one's `Retry-After` must not
  ///   hold this one up.
  /// - 3: a row's last column is its seal, a check value over all the others, and each pending row
  ///   has a second copy. Both are made behind this; the older table of deactivations, whose
  ///   constraints know fewer states, is `older` by then.
  static func migration(from version: Int64) -> Literal? {
    switch version {
    case 1:
      """
      ALTER TABLE server ADD COLUMN address TEXT NOT NULL DEFAULT '';
      PRAGMA user_version = 2;
      """
    case 2:
      """
      INSERT INTO deactivation SELECT *, 0, NULL FROM older;
      DROP TABLE older;
      ALTER TABLE server ADD COLUMN seal BLOB;
      ALTER TABLE identity ADD COLUMN seal BLOB;
      PRAGMA user_version = 3;
      """
    default: nil
    }
  }

  /// A page holds two or three rows. A commit writes the row's page and the index's: 2 KiB,
  /// where pages of 4 KiB would write 8.
  static let prepare: Literal = """
    PRAGMA page_size = 1024;
    PRAGMA auto_vacuum = NONE;
    """

  static let setAside: Literal = "ALTER TABLE deactivation RENAME TO older"

  static let createDeactivation: Literal = """
    CREATE TABLE deactivation (
      row INTEGER PRIMARY KEY,
      nonce INTEGER NOT NULL CHECK (typeof(nonce) = 'integer'),
      state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 3, 4)),
      fingerprint BLOB UNIQUE
        CHECK (fingerprint IS NULL OR (typeof(fingerprint) = 'blob' AND length(fingerprint) = 16)),
      product TEXT NOT NULL CHECK (typeof(product) = 'text'),
      hardware_id TEXT NOT NULL CHECK (typeof(hardware_id) = 'text'),
      way INTEGER NOT NULL CHECK (way IN (0, 1, 2, 3)),
      secret TEXT CHECK (secret IS NULL OR typeof(secret) = 'text'),
      username TEXT CHECK (username IS NULL OR typeof(username) = 'text'),
      customer_account_code TEXT
        CHECK (customer_account_code IS NULL OR typeof(customer_account_code) = 'text'),
      redirect_uri TEXT CHECK (redirect_uri IS NULL OR typeof(redirect_uri) = 'text'),
      license_id INTEGER CHECK (license_id IS NULL OR typeof(license_id) = 'integer'),
      bundle_code TEXT CHECK (bundle_code IS NULL OR typeof(bundle_code) = 'text'),
      sdk_ver TEXT CHECK (sdk_ver IS NULL OR typeof(sdk_ver) = 'text'),
      consumptions INTEGER CHECK (consumptions IS NULL OR typeof(consumptions) = 'integer'),
      queued_at INTEGER NOT NULL CHECK (typeof(queued_at) = 'integer'),
      attempts INTEGER NOT NULL DEFAULT 0 CHECK (typeof(attempts) = 'integer'),
      open_attempts INTEGER NOT NULL DEFAULT 0 CHECK (typeof(open_attempts) = 'integer'),
      failures INTEGER NOT NULL DEFAULT 0 CHECK (typeof(failures) = 'integer'),
      held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
      wait_ms INTEGER CHECK (wait_ms IS NULL OR typeof(wait_ms) = 'integer'),
      wait_end_ms INTEGER CHECK ((wait_end_ms IS NULL) = (wait_ms IS NULL)),
      wait_boot INTEGER CHECK ((wait_boot IS NULL) = (wait_ms IS NULL)),
      last_at INTEGER CHECK (last_at IS NULL OR typeof(last_at) = 'integer'),
      last_status INTEGER CHECK (last_status IS NULL OR typeof(last_status) = 'integer'),
      last_code TEXT CHECK (last_code IS NULL OR typeof(last_code) = 'text'),
      last_message TEXT CHECK (last_message IS NULL OR typeof(last_message) = 'text'),
      ended_at INTEGER CHECK ((ended_at IS NULL) = (state = 0)),
      inferred INTEGER NOT NULL DEFAULT 0 CHECK (inferred IN (0, 1)),
      license_signature TEXT,
      restored INTEGER NOT NULL DEFAULT 0 CHECK (restored IN (0, 1)),
      seal BLOB,
      CHECK ((fingerprint IS NULL) = (state <> 0)),
      CHECK (state = 0 OR secret IS NULL)
    );
    """

  static let createRest: Literal = """
    PRAGMA application_id = 1212303921;
    CREATE TABLE server (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      failures INTEGER NOT NULL CHECK (typeof(failures) = 'integer'),
      reason INTEGER NOT NULL CHECK (typeof(reason) = 'integer'),
      wait_ms INTEGER,
      wait_end_ms INTEGER,
      wait_boot INTEGER,
      clock_floor INTEGER NOT NULL CHECK (typeof(clock_floor) = 'integer'),
      anchor_at INTEGER,
      anchor_boot_ms INTEGER,
      anchor_boot INTEGER,
      address TEXT NOT NULL DEFAULT '',
      seal BLOB
    );
    CREATE TABLE identity (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL CHECK (typeof(id) = 'text'),
      scheme INTEGER NOT NULL CHECK (typeof(scheme) = 'integer'),
      class INTEGER NOT NULL CHECK (typeof(class) = 'integer'),
      platform INTEGER NOT NULL CHECK (typeof(platform) = 'integer'),
      rules INTEGER NOT NULL CHECK (typeof(rules) = 'integer'),
      components TEXT NOT NULL CHECK (typeof(components) = 'text'),
      pinned_at INTEGER NOT NULL CHECK (typeof(pinned_at) = 'integer'),
      reason TEXT NOT NULL CHECK (typeof(reason) = 'text'),
      seal BLOB
    );
    PRAGMA user_version = 3;
    """
}
