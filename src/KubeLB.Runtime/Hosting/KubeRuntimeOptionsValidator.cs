using System.Text.RegularExpressions;
using KubeLB.Runtime.Probes;
using Microsoft.Extensions.Options;

namespace KubeLB.Runtime.Hosting;

/// <summary>Checks settings before anything starts and reports all problems at once.</summary>
internal sealed partial class KubeRuntimeOptionsValidator : IValidateOptions<KubeRuntimeOptions>
{
    public ValidateOptionsResult Validate(string? name, KubeRuntimeOptions options)
    {
        var problems = new List<string>();
        if (!MetricPrefix().IsMatch(options.Component))
        {
            problems.Add(
                $"Component \"{options.Component}\" cannot begin the name of a metric: use letters, digits and underscores, not a "
                    + "digit first."
            );
        }

        if (!AnnotationKey().IsMatch(options.ApplierAnnotation))
        {
            problems.Add($"ApplierAnnotation \"{options.ApplierAnnotation}\" is not an annotation key such as example.com/applied.");
        }

        if (options.StopTimeout <= TimeSpan.Zero)
        {
            problems.Add("StopTimeout must be positive.");
        }

        Address(options.ProbeAddress);
        Address(options.MetricsAddress);
        problems.AddRange(options.LeaderElection?.Problems() ?? []);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Address(string text)
        {
            try
            {
                ListenAddress.Parse(text, options.BindLoopbackOnly);
            }
            catch (FormatException e)
            {
                problems.Add(e.Message);
            }
        }
    }

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$")]
    private static partial Regex MetricPrefix();

    [GeneratedRegex("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    private static partial Regex AnnotationKey();
}
