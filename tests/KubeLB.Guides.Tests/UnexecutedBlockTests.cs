using System.Diagnostics;
using k8s;
using KubeLB.Cli;
using KubeLB.Guides.Tests.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Guides.Tests;

/// <summary>
/// Blocks that are not run: commands that need real clusters, manifests, values and excerpts of examples. Their syntax, manifests, values
/// and flags are checked.
/// </summary>
public sealed class UnexecutedBlockTests(UnexecutedBlockTests.Checker checker) : IClassFixture<UnexecutedBlockTests.Checker>
{
    /// <summary>Pages with a block of code.</summary>
    public static TheoryData<string> Pages => [.. GuidePage.All.Where(page => new GuidePage(page).Blocks.Count > 0)];

    /// <summary>Folders of examples.</summary>
    public static TheoryData<string> Examples =>
        [.. Directory.EnumerateDirectories(Path.Combine(SourceTree.Root, "examples")).Select(f => $"examples/{Path.GetFileName(f)}")];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Blocks_that_are_not_run_are_valid(string page)
    {
        Assert.SkipWhen(GuidePages.MissingProgram is not null, GuidePages.MissingProgram ?? "");
        var problems = new List<string>();
        foreach (var block in new GuidePage(page).Blocks)
        {
            if (await checker.ProblemAsync(block) is { } problem)
            {
                problems.Add($"{block}: {problem}");
            }
        }

        problems.Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_is_applied_by_a_page(string example) =>
        GuidePage
            .All.SelectMany(page => new GuidePage(page).Blocks)
            .Where(block => block.IsRun)
            .Should()
            .Contain(block => block.Text.Contains(example, StringComparison.Ordinal), "each example is applied and requested");

    /// <summary>
    /// Clusters with all definitions and without controllers, and programs that check what they are given instead of doing it.
    /// </summary>
    public sealed class Checker : IAsyncLifetime
    {
        private static readonly HashSet<string> OutputOrTranscript = ["", "text", "json", "mermaid", "promql"];
        private static readonly string[] ForeignKinds = ["argoproj.io", "fluxcd.io", "monitoring.coreos.com", "cert-manager.io"];

        private SandboxEnvironment? _clusters;
        private GuideFolder _folder = null!;
        private string _kubeconfig = "";
        private string _calls = "";

        public async ValueTask InitializeAsync()
        {
            _folder = new GuideFolder();
            _calls = Path.Combine(_folder.State, "calls");
            _kubeconfig = Path.Combine(_folder.State, "kubeconfig");
            if (GuidePages.MissingProgram is not null)
            {
                return;
            }

            _clusters = await SandboxEnvironment.StartAsync(new SandboxOptions { StartControllers = false });
            await File.WriteAllTextAsync(_kubeconfig, _clusters.Management.KubeconfigYaml);
            _folder.Script("kubelb", $"printf '%s\\0' \"$@\" >> {_calls}; printf '\\n' >> {_calls}");
            foreach (var program in new[] { "curl", "docker", "flux", "argocd", "etcdctl", "grpcurl", "jq", "ssh", "systemctl", "openssl" })
            {
                _folder.Script(program, "exit 0");
            }

            // Manifests of files and standard input are checked by the API server, without a change; nothing else is sent.
            _folder.Script(
                "kubectl",
                $$"""
                arguments=()
                while [ $# -gt 0 ]; do
                  case $1 in
                    --kubeconfig|--context) shift ;;
                    --kubeconfig=*|--context=*) ;;
                    *) arguments+=("$1") ;;
                  esac
                  shift
                done
                export KUBECONFIG={{_kubeconfig}}
                case " ${arguments[*]} " in
                  *" kustomize "*|*" --dry-run=client "*) exec {{KubectlBinary.Location}} "${arguments[@]}" ;;
                  *" apply "*https://*) ;;
                  *" apply "*) exec {{KubectlBinary.Location}} "${arguments[@]}" --dry-run=server ;;
                esac
                """
            );
            // The charts are rendered with the values of the command. A values file that the reader writes is left out.
            _folder.Script(
                "helm",
                $$"""
                case "$*" in *charts/*) ;; *) exit 0 ;; esac
                arguments=()
                while [ $# -gt 0 ]; do
                  case $1 in
                    install|upgrade) arguments+=(template) ;;
                    --reuse-values|--reset-then-reuse-values)
                      case "${arguments[*]}" in *kubelb-ccm*) arguments+=(--set kubelb.tenantName=shop) ;; esac ;;
                    --install|--wait|--create-namespace|--force-conflicts|--take-ownership|--server-side=*) ;;
                    -f|--values) [ -f "$2" ] && arguments+=("$1" "$2"); shift ;;
                    *) arguments+=("$1") ;;
                  esac
                  shift
                done
                exec {{HelmBinary.Location}} "${arguments[@]}" > /dev/null
                """
            );
        }

        public async ValueTask DisposeAsync()
        {
            if (_clusters is not null)
            {
                await _clusters.DisposeAsync();
            }

            _folder.Dispose();
        }

        /// <summary>What is wrong with a block; null for nothing.</summary>
        public async Task<string?> ProblemAsync(GuideBlock block)
        {
            if (block.IsRun || block.IsOutput)
            {
                return null;
            }

            if (OutputOrTranscript.Contains(block.Language))
            {
                return null;
            }

            return (block.Language, block.Directive) switch
            {
                ("bash", GuideBlock.Development) => await RunAsync(block, "bash -n"),
                ("bash", _) => await CommandsAsync(block),
                ("yaml", null) => "a block of yaml needs a directive: docs/contributing/documentation.md lists them",
                ("yaml", "manifest") => await ManifestAsync(block),
                ("yaml", "fragment") => Parse(block.Text),
                ("yaml", { } d) when d.StartsWith("values of ", StringComparison.Ordinal) => await ValuesAsync(
                    block,
                    d["values of ".Length..]
                ),
                ("yaml", { } d) when d.StartsWith("examples/", StringComparison.Ordinal) => Excerpt(block, d),
                _ => $"language {block.Language} with directive {block.Directive} is unknown",
            };
        }

        private static string? Parse(string yaml)
        {
            try
            {
                _ = Yaml.Read(yaml);
                return null;
            }
            catch (YamlDotNet.Core.YamlException e)
            {
                return e.Message;
            }
        }

        private static string? Excerpt(GuideBlock block, string file)
        {
            var path = Path.Combine(SourceTree.Root, file);
            if (!File.Exists(path))
            {
                return $"{file} does not exist";
            }

            return Unindented(File.ReadAllText(path)).Contains(Unindented(block.Text), StringComparison.Ordinal)
                ? null
                : $"the lines are not in {file}";
        }

        private static string Unindented(string text) => string.Join('\n', text.Trim().Split('\n').Select(line => line.Trim()));

        private async Task<string?> CommandsAsync(GuideBlock block)
        {
            File.Delete(_calls);
            if (await RunAsync(block, "bash -euo pipefail") is { } problem)
            {
                return problem;
            }

            var calls = File.Exists(_calls) ? await File.ReadAllLinesAsync(_calls) : [];
            return calls
                .Select(call => CliProgram.Build().Parse(call.TrimEnd('\0').Split('\0')).Errors.FirstOrDefault()?.Message)
                .FirstOrDefault(error => error is not null);
        }

        private async Task<string?> ManifestAsync(GuideBlock block)
        {
            if (Parse(block.Text) is { } error)
            {
                return error;
            }

            var objects = Yaml.Read(block.Text)
                .Where(o => !ForeignKinds.Any(k => o["apiVersion"]!.GetValue<string>().Contains(k, StringComparison.Ordinal)))
                .ToList();
            if (objects.Count == 0)
            {
                return null;
            }

            using var client = _clusters!.Management.CreateClient("guides");
            var existing = (await client.CoreV1.ListNamespaceAsync()).Items.Select(n => n.Metadata.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var name in objects.Select(o => o["metadata"]?["namespace"]?.GetValue<string>()).OfType<string>().Distinct())
            {
                if (existing.Add(name))
                {
                    await client.CoreV1.CreateNamespaceAsync(new() { Metadata = new() { Name = name } });
                }
            }

            var file = Path.Combine(_folder.State, "manifest.yaml");
            await File.WriteAllTextAsync(file, Yaml.Write(objects));
            return await RunAsync(block with { Text = $"kubectl apply -f {file}\n" }, "bash -e");
        }

        private async Task<string?> ValuesAsync(GuideBlock block, string chart)
        {
            var file = Path.Combine(_folder.State, "values.yaml");
            await File.WriteAllTextAsync(file, block.Text);
            return await RunAsync(block with { Text = $"helm template {chart} charts/{chart} -f {file}\n" }, "bash -e");
        }

        private async Task<string?> RunAsync(GuideBlock block, string bash)
        {
            // Blocks of a page use files that those before them wrote.
            var folder = Path.Combine(_folder.State, block.Page.Replace('/', '-'));
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
                foreach (var link in Directory.EnumerateFileSystemEntries(_folder.Clone))
                {
                    File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(link)), link);
                }

                // The kubeconfig of a CCM, which other pages write.
                await File.WriteAllTextAsync(Path.Combine(folder, "kubelb"), "");
            }

            var script = Path.Combine(_folder.State, "unexecuted.sh");
            await File.WriteAllTextAsync(script, block.Text);
            var start = new ProcessStartInfo("bash", ["-c", $"{bash} {script}"])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
            };
            start.Environment["PATH"] = $"{_folder.Programs}:{start.Environment["PATH"]}";
            start.Environment["HOME"] = _folder.State;
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            await process.WaitForExitAsync(deadline.Token);
            return process.ExitCode == 0 ? null : $"{await output}{await errors}\n{block.Text}";
        }
    }
}
