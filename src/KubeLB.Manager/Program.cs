using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;

var command = new ManagerCommand();
return await ControllerProgram.RunAsync(
    command.Build(),
    BuildVersion.FromAssembly(typeof(ManagerCommand).Assembly),
    args,
    parsed =>
    {
        var options = command.Options(parsed);
        var management = Kubeconfig.Connect(options.Kubeconfig, "kubelb-manager");
        return ManagerHost.Build(options, () => management);
    }
);
