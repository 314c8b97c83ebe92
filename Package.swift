// swift-tools-version: 6.2
import PackageDescription

// What every Swift target is checked for. The first three keep a layer's imports from leaking
// into the next (SE-0335, SE-0409, SE-0444), strict memory safety makes each unsafe call stand
// out (SE-0458), and `EmbeddedRestrictions` finds what the shipped, Embedded build would refuse.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .treatWarning("EmbeddedRestrictions", as: .error),
]

// Tests build as regular Swift only; Swift Testing's macros need what the checks above forbid.
let testSettings: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]

// `packageAccess: false`: nothing here is `package`, and a module found below the SDK's root,
// as everything is when the root is `/`, would else be refused as a foreign copy of itself.
let package = Package(
  name: "handback",
  products: [.executable(name: "handback", targets: ["handback"])],
  targets: [
    .systemLibrary(name: "CLibc"),
    .systemLibrary(name: "CSQLite"),
    .systemLibrary(name: "CUdev"),
    .systemLibrary(name: "CCurl"),
    .target(name: "HandbackCore", packageAccess: false, swiftSettings: settings),
    .target(
      name: "HandbackLinux",
      dependencies: ["HandbackCore", "CLibc", "CSQLite", "CUdev", "CCurl"],
      packageAccess: false,
      swiftSettings: settings,
      linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("udev")]
    ),
    .executableTarget(
      name: "handback",
      dependencies: ["HandbackCore", "HandbackLinux", "CLibc"],
      packageAccess: false,
      swiftSettings: settings
    ),
    .target(
      name: "AllocationCounter", path: "Tests/AllocationCounter", publicHeadersPath: "include"),
    .executableTarget(
      name: "SignerProbe",
      dependencies: ["HandbackCore", "AllocationCounter"],
      path: "Tests/SignerProbe",
      packageAccess: false,
      swiftSettings: settings
    ),
    .executableTarget(
      name: "Fleet", dependencies: ["HandbackCore", "TestSupport"], path: "Tests/Fleet",
      swiftSettings: testSettings),
    .executableTarget(
      name: "Simulate", dependencies: ["TestSupport"], path: "Tests/Simulate",
      swiftSettings: testSettings),
    .target(
      name: "TestSupport", dependencies: ["HandbackCore"], path: "Tests/Support",
      swiftSettings: testSettings),
    .testTarget(
      name: "HandbackCoreTests", dependencies: ["HandbackCore", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "HandbackLinuxTests", dependencies: ["HandbackCore", "HandbackLinux", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "HandbackProgramTests", dependencies: ["TestSupport"], swiftSettings: testSettings),
  ]
)
