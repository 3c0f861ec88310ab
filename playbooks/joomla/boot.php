<?php
/**
 * Starts Joomla on the command line as its own programs there do, and runs some work inside it.
 */

/**
 * From Joomla 4 on the work is one more command of Joomla's own console; 3.10 has the application of its administration
 * for it. `$work` gets the application and returns the exit code. Never returns.
 */
function intendant_boot( $root, $url, $work ) {
	defined( '_JEXEC' ) || define( '_JEXEC', 1 );
	// Licences of vendors are often bound to the site's address.
	$_SERVER['HTTP_HOST']   = (string) parse_url( $url, PHP_URL_HOST ) . ( parse_url( $url, PHP_URL_PORT ) ? ':' . parse_url( $url, PHP_URL_PORT ) : '' );
	$_SERVER['REQUEST_URI'] = (string) parse_url( $url, PHP_URL_PATH );
	$_SERVER['SCRIPT_NAME'] = rtrim( $_SERVER['REQUEST_URI'], '/' ) . '/index.php';
	$_SERVER['PHP_SELF']    = $_SERVER['SCRIPT_NAME'];
	if ( 'https' === parse_url( $url, PHP_URL_SCHEME ) ) {
		$_SERVER['HTTPS'] = 'on';
	}
	$_SERVER['argv'] = [ 'joomla.php', 'intendant:work', '--no-ansi', '--no-interaction' ];
	if ( false !== strpos( (string) @file_get_contents( "$root/libraries/src/Application/ConsoleApplication.php" ), "'live-site'" ) ) {
		$_SERVER['argv'][] = "--live-site=$url";
	}
	$_SERVER['argc'] = count( $_SERVER['argv'] );
	chdir( $root );

	if ( ! is_file( "$root/cli/joomla.php" ) ) {
		define( 'JPATH_BASE', "$root/administrator" );
		$_SERVER['REQUEST_METHOD']  = 'GET';
		$_SERVER['HTTP_USER_AGENT'] = 'Intendant';
		$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
		// Its session sends headers, so nothing may be printed before.
		ob_start();
		require_once JPATH_BASE . '/includes/defines.php';
		require_once JPATH_BASE . '/includes/framework.php';
		foreach ( [ 'helper', 'toolbar', 'subtoolbar' ] as $name ) {
			if ( is_file( JPATH_BASE . "/includes/$name.php" ) ) {
				require_once JPATH_BASE . "/includes/$name.php";
			}
		}
		$app  = JFactory::getApplication( 'administrator' );
		JFactory::getLanguage()->load( 'lib_joomla', JPATH_ADMINISTRATOR );
		$exit = $work( $app );
		ob_end_flush();
		foreach ( $app->getMessageQueue() as $message ) {
			$type = 'error' === $message['type'] ? 'ERROR' : ( 'warning' === $message['type'] ? 'WARNING' : 'INFO' );
			echo "\n [$type] ", intendant_line( strip_tags( $message['message'] ) ), "\n";
		}
		exit( $exit );
	}

	if ( is_file( "$root/defines.php" ) ) {
		require_once "$root/defines.php";
	}
	if ( ! defined( '_JDEFINES' ) ) {
		define( 'JPATH_BASE', $root );
		require_once JPATH_BASE . '/includes/defines.php';
	}
	require_once JPATH_BASE . '/includes/framework.php';
	$container = \Joomla\CMS\Factory::getContainer();
	foreach ( [ 'session', 'JSession', 'Joomla\CMS\Session\Session', 'Joomla\Session\Session', 'Joomla\Session\SessionInterface' ] as $name ) {
		$container->alias( $name, 'session.cli' );
	}
	$app                              = $container->get( \Joomla\Console\Application::class );
	\Joomla\CMS\Factory::$application = $app;
	$app->addCommand(
		new class( $work ) extends \Joomla\Console\Command\AbstractCommand {
			/** What is to be done. */
			private $work;

			public function __construct( $work ) {
				$this->work = $work;
				parent::__construct( 'intendant:work' );
			}

			protected function doExecute( \Symfony\Component\Console\Input\InputInterface $input, \Symfony\Component\Console\Output\OutputInterface $output ): int {
				return call_user_func( $this->work, $this->getApplication() );
			}
		}
	);
	$app->execute();
	exit( 70 );
}
