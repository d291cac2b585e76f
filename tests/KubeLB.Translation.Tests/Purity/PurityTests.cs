using System.Reflection;
using System.Runtime.CompilerServices;
using KubeLB.Api.Serialization;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tests.Purity;

/// <summary>
/// Translation is a function of what it is given: its compiled code has no way to the network, to files, to a clock, to
/// chance or to a log.
/// </summary>
public sealed class PurityTests
{
    private const string CompilersOwn = "System.Environment";

    private static readonly Assembly Translation = typeof(EnvoyGatewayTranslator).Assembly;
    private static readonly AssemblyReferences References = AssemblyReferences.Of(Translation);
    private static readonly AssemblyReferences OfTheApi = AssemblyReferences.Of(typeof(ApiJson).Assembly);
    private static readonly AssemblyReferences OfImpureCode = AssemblyReferences.Of(typeof(Impure).Assembly);

    /// <summary>No assembly of these opens a connection or a file, except that KubernetesClient could: see the types.</summary>
    private static readonly string[] PureAssemblies =
    [
        "KubeLB.Api",
        "KubernetesClient",
        "System.Collections",
        "System.Collections.Immutable",
        "System.Linq",
        "System.Memory",
        "System.Net.Primitives",
        "System.Runtime",
        "System.Runtime.InteropServices",
        "System.Security.Cryptography",
        "System.Text.Encodings.Web",
        "System.Text.Json",
        "System.Text.RegularExpressions",
    ];

    private static readonly string[] ImpureNamespaces =
    [
        "System.IO.",
        "System.Net.",
        "System.Threading.",
        "System.Timers.",
        "System.Data.",
        "System.Reflection.Emit.",
        "Microsoft.Extensions.",
        "Serilog.",
        "k8s.Autorest.",
        "k8s.KubeConfigModels.",
    ];

    // A value: it reads and writes text.
    private static readonly string[] PureTypesAmongThem = ["System.Net.IPAddress"];

    private static readonly string[] ImpureMembers =
    [
        "System.DateTime.get_Now",
        "System.DateTime.get_UtcNow",
        "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid",
        "System.Guid.CreateVersion7",
        "System.IO.Path.GetRandomFileName",
        "System.Security.Cryptography.RandomNumberGenerator.GetBytes",
        "System.Security.Cryptography.RandomNumberGenerator.GetInt32",
    ];

    public static TheoryData<string> Entries => new(BannedSymbols.Entries);

    [Theory]
    [MemberData(nameof(Entries))]
    public void Compiled_code_has_no_banned_references(string entry)
    {
        var found = BannedSymbols.Violations(entry, References).Concat(BannedSymbols.Violations(entry, OfTheApi));

        // The compiler's iterators ask for the thread that they run on.
        found.Where(symbol => symbol != CompilersOwn).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public void Every_banned_symbol_is_detected(string entry)
    {
        // No logger is at hand here; that it is a type of a package that translation does not even refer to is tested below.
        if (entry == "T:Microsoft.Extensions.Logging.ILogger")
        {
            References.Assemblies.Should().NotContain(name => name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal));
            return;
        }

        BannedSymbols.Violations(entry, OfImpureCode).Should().NotBeEmpty("{0} must name what it means", entry);
    }

    [Fact]
    public void Clock_random_files_network_waiting_and_logs_are_banned() =>
        BannedSymbols
            .Entries.Should()
            .Contain([
                "T:k8s.IKubernetes",
                "T:k8s.Kubernetes",
                "T:System.Net.Http.HttpClient",
                "T:System.Net.Dns",
                "T:System.Net.Sockets.Socket",
                "T:System.IO.File",
                "T:System.IO.Directory",
                "T:System.Environment",
                "T:System.Random",
                "M:System.Guid.NewGuid",
                "P:System.DateTime.Now",
                "P:System.DateTime.UtcNow",
                "P:System.DateTimeOffset.Now",
                "P:System.DateTimeOffset.UtcNow",
                "T:System.TimeProvider",
                "T:System.Diagnostics.Stopwatch",
                "T:System.Threading.Tasks.Task",
                "T:Microsoft.Extensions.Logging.ILogger",
            ]);

    [Fact]
    public void Environment_is_used_only_for_the_thread_id_of_iterators() =>
        References
            .Members.Where(member => member.StartsWith(CompilersOwn + ".", StringComparison.Ordinal))
            .Should()
            .BeSubsetOf([CompilersOwn + ".get_CurrentManagedThreadId"]);

    [Fact]
    public void References_are_to_assemblies_without_input_and_output()
    {
        References.Assemblies.Should().BeSubsetOf(PureAssemblies);
        OfTheApi.Assemblies.Should().BeSubsetOf(PureAssemblies);
    }

    [Fact]
    public void Impure_namespaces_are_not_referenced()
    {
        ImpureTypes(References).Should().BeEmpty();
        ImpureTypes(OfTheApi).Should().BeEmpty();
        ImpureTypes(OfImpureCode).Should().Contain(["System.Net.Http.HttpClient", "System.IO.File", "System.Threading.Tasks.Task`1"]);
    }

    [Fact]
    public void Clock_and_random_are_not_used()
    {
        References.Members.Should().NotIntersectWith(ImpureMembers);
        OfTheApi.Members.Should().NotIntersectWith(ImpureMembers);
        OfImpureCode.Members.Should().Contain(ImpureMembers[..6]);
    }

    [Fact]
    public void Kubernetes_client_is_used_only_for_models_and_JSON() =>
        References
            .Types.Concat(OfTheApi.Types)
            .Where(type => type.StartsWith("k8s.", StringComparison.Ordinal) && !type.StartsWith("k8s.Models.", StringComparison.Ordinal))
            .Should()
            .BeSubsetOf(["k8s.IKubernetesObject", "k8s.IKubernetesObject`1", "k8s.KubernetesJson"]);

    [Fact]
    public void Static_state_is_immutable() =>
        Translation
            .GetTypes()
            .Where(type =>
                type.GetCustomAttribute<CompilerGeneratedAttribute>() is null
                && type.Namespace?.StartsWith("KubeLB.", StringComparison.Ordinal) == true
            )
            .SelectMany(type =>
                type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            )
            .Where(field => !field.IsLiteral && !field.IsInitOnly)
            .Should()
            .BeEmpty();

    private static IEnumerable<string> ImpureTypes(AssemblyReferences references) =>
        references
            .Types.Except(PureTypesAmongThem)
            .Where(type => ImpureNamespaces.Any(impure => type.StartsWith(impure, StringComparison.Ordinal)));
}
