// Made by scripts/hardware-id-lists of scripts/hardware-id-lists.tsv; don't edit.

/// Values that name no device and that no rule refuses, one a line, sorted; where each was
/// seen is in the table.
enum JunkLists {
  /// Serial numbers, letters and digits only.
  static let serials: Literal = """
    0000000000000000000000375600ea00
    000000000208
    01000000000000000001
    0x0000
    0x00000000
    0x5000000000000000
    0xffffffff
    1b00000000000000
    5000000000000000
    aaaabbbbcccc1
    aaaabbbbcccc2
    aaaabbbbcccc3
    amlg12asei510
    amlg12asei610
    asusnotebooksku
    boardrevision00
    c3d9b8674f4b94f6
    customer
    default
    eval
    generic
    iatpass
    model
    other
    partnum
    pcie2
    psmbou1234567
    sn000001
    sn12345
    sn123456fvgv3i0b8o5n6n7k
    standard
    tulipcomputers
    type1productconfigid
    type1sku0
    unde
    """

  /// UUIDs, of both byte orders the smaller.
  static let uuids: Literal = """
    00000010000000800040000000000000
    00b3b56a8d5314109fb5b0684d007b53
    11111111222233334444555555555555
    142d0e89cdcad145ae66bc80e8bfeb0f
    1ad82a4c2a1811b2a85c82c3099c6263
    44454c4c000010108010c4c04f313233
    4458278e8f17a844aceba7d7e5178c63
    5c4606fa192f453ab2997b088c63bb9b
    978369dc54faf24c82c8b1b5307a6a7f
    deadbeefdeadbeefdeadbeefdeadbeef
    """

  /// Network addresses.
  static let addresses: Literal = """
    000011223344
    000011223345
    000011223346
    0001027d9b1c
    000203040506
    0008a1460635
    0008a166e21a
    0008dcabcdef
    00093bf01a40
    0009dd103768
    000b0e0f00ed
    000bcafe0000
    000be0f000ed
    000fea9ae2f0
    00105a7271f3
    00111185088b
    00117f133636
    001374005c38
    001e101f0000
    002007011606
    00e012345678
    00e04c534458
    044b80808003
    044b80808004
    044b808080f0
    0c5b8f279a64
    143df2cc9271
    143df2cc9272
    204153594eff
    24b620524153
    444553540000
    444553540001
    44455354616f
    505054503030
    582c80139263
    888888888788
    """

  /// What addresses begin with that someone typed.
  static let addressPrefixes: Literal = """
    0011223344
    01234567
    02000000
    12345678
    aabbccdd
    deadbeef
    """

  /// Machine IDs that images share, and hashes of nothing.
  static let machineIDs: Literal = """
    00000000000000000000000000000000
    01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b
    1c4ad377574c4263adbb7c624b6a3429
    3948e4ca87b64871b31c9a49920b9834
    4c010dc413ad444698de6ee4677331b9
    512e938faf4449bdabef0c5f82325488
    5b4bb40898b2416087b6224f176978fb
    68b329da9893e34099c7d8ad5cb9c940
    835aa90928e143e3ae09efcd0c5cb118
    9989a26f06984d6dbadc01770f018e3b
    a7570853ab864bbbbfc8c54b14eeaf8f
    b08dfa6083e7567a1921a715000001fb
    d41d8cd98f00b204e9800998ecf8427e
    d495c4b7bb8244639186ef65305fd685
    e28a15f597cd4693bb61f1f3e8447cbd
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    ffffffffffffffffffffffffffffffff
    uninitialized
    """
}
